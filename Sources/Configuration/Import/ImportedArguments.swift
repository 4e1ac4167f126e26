/// A program's arguments without the secrets and references that would show in the list of processes.
struct ImportedArguments {
    /// What stands where a person has to write something.
    static let placeholder = "REPLACE_ME"

    private(set) var words: [String] = []
    private var notes: [String] = []

    /// `variables` are those of the program's own environment, which it may expand itself.
    init(_ arguments: [String], variables: [String], workspace: ImportedWorkspace) {
        var masked: [Int] = []
        let secrets = SecretLook.secretArguments(arguments)
        for (index, argument) in arguments.enumerated() {
            let foreign = Self.references(in: argument).filter { !variables.contains($0) }
            let address = ImportedAddress(argument)
            if secrets.contains(index) || SecretLook.isDense(argument) {
                words.append(Self.masked(argument))
                masked.append(index + 1)
            } else if Set(foreign) == ["workspaceFolder"], let replaced = workspace.replaced(in: argument) {
                words.append(replaced)
                notes.append("argument \(index + 1) named the workspace; it is the folder of gateway.yaml now")
            } else if !foreign.isEmpty {
                words.append(Self.placeholder)
                notes.append(
                    "argument \(index + 1) held \(foreign.map { "${\($0)}" }.joined(separator: " ")), and references are not looked up in `args`")
            } else if address.isAddress && (address.hasUserInformation || address.hasPlaceholder) {
                words.append(address.text)
                notes.append("argument \(index + 1) is an address that held what looks like a secret")
            } else {
                words.append(argument)
            }
        }
        guard !masked.isEmpty else { return }
        let numbers = masked.map(String.init).joined(separator: ", ")
        let which = masked.count == 1 ? "argument \(numbers) held what looks like a secret" : "arguments \(numbers) held what look like secrets"
        notes.append("\(which); everyone on this machine can read arguments, so better hand it over in `env`")
    }

    mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    /// The name of a flag or variable stays.
    private static func masked(_ argument: String) -> String {
        guard let end = argument.firstIndex(where: { $0 == "=" || $0 == ":" }), !argument.contains("://") else { return placeholder }
        let name = argument[..<end]
        let isName = name.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "-") } && name.utf8.count <= 64
        return isName ? "\(argument[...end])\(placeholder)" : placeholder
    }

    private static func references(in text: String) -> [String] {
        var names: [String] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            let end = rest[start.upperBound...].firstIndex(of: "}") ?? rest.endIndex
            names.append(String(rest[start.upperBound..<end]))
            rest = rest[end...]
        }
        return names
    }
}
