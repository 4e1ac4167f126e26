import Auth
import Diagnostics
import Transport

/// Reads what an upstream with `command` is started with.
struct CommandReader {
    /// The folder of gateway.yaml, in which children run.
    let folder: NamedPath

    func read(_ command: YAMLNode, _ section: Section, _ findings: inout Findings) -> UpstreamDefinition.Endpoint? {
        let program = program(command, hasArguments: section["args"] != nil, &findings)
        let arguments = arguments(section["args"], &findings)
        let environment = environment(section["env"], &findings)
        let directory = section["cwd"].map { $0.text("cwd", &findings).map { folder.appending($0).absolute } } ?? folder.absolute
        guard let program, let arguments, let environment, let directory else { return nil }
        return .command(program, arguments: arguments, environment: environment, directory: directory)
    }

    private func program(_ node: YAMLNode, hasArguments: Bool, _ findings: inout Findings) -> String? {
        if case .sequence = node.content {
            findings.add("`command` is one program, not a list", at: node.position, fix: "write the rest as `args: […]`")
            return nil
        }
        guard let text = node.text("command", &findings) else { return nil }
        let words = text.split(separator: " ")
        guard hasArguments || words.count < 2 || words.first?.contains("/") == true else {
            let rest = words.dropFirst().joined(separator: ", ")
            findings.add(
                "`command` is one program, and no shell takes it apart", at: node.position,
                fix: "write `command: \(words.first ?? "")` and `args: [\(rest.utf8.count > 60 ? "…" : rest)]`")
            return nil
        }
        return text
    }

    private func arguments(_ node: YAMLNode?, _ findings: inout Findings) -> [String]? {
        guard let node else { return [] }
        guard let elements = node.elements("args", &findings) else { return nil }
        var arguments: [String] = []
        for element in elements {
            guard let text = element.word("args", &findings) else {
                arguments.append("")
                continue
            }
            // Every user of the machine sees the arguments of every process.
            if text.contains("${env:") || text.contains("${file:") {
                findings.add(
                    "`args` holds a reference, and everyone on this machine can read arguments", at: element.position, fix: "hand it over in `env`")
            }
            arguments.append(text)
        }
        let secrets = SecretLook.secretArguments(arguments)
        for index in secrets.sorted() {
            findings.add("`args` holds a secret as it is", at: elements[index].position, fix: "hand it over in `env` as \"${env:NAME}\"")
        }
        return arguments
    }

    private func environment(_ node: YAMLNode?, _ findings: inout Findings) -> [UpstreamDefinition.EnvironmentVariable]? {
        guard let node else { return [] }
        guard let entries = node.entries("`env`", &findings) else { return nil }
        let references = SecretReferenceReader(folder: folder)
        var variables: [UpstreamDefinition.EnvironmentVariable] = []
        for entry in entries {
            guard isVariableName(entry.key) else {
                findings.add("\(quoted(entry.key)) is no name of a variable", at: entry.keyPosition, fix: "use letters, digits and _ only")
                continue
            }
            guard let value = references.read(entry.value, entry.key, &findings) else { continue }
            if let literal = value.literal, !SecretLook.isHarmless(literal),
                SecretLook.isSecretName(entry.key) || SecretLook.isSecretValue(literal)
            {
                references.refuseLiteral(entry.key, variable: entry.key, at: entry.value.position, &findings)
                continue
            }
            variables.append(UpstreamDefinition.EnvironmentVariable(name: entry.key, value: value))
        }
        return variables.count == entries.count ? variables : nil
    }
}
