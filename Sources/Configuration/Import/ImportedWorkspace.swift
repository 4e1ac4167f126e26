/// What stands for VS Code's and Cursor's `${workspaceFolder}`: the folder of gateway.yaml, seen from where the child runs.
struct ImportedWorkspace {
    static let reference = "${workspaceFolder}"

    /// `cwd` for our file; nil where the child runs in the folder of gateway.yaml, or where `cwd` can't be said.
    private(set) var directory: String?
    /// What was written in `cwd` and can't be taken over.
    private(set) var unknownDirectory: String?
    /// Nil where the child runs somewhere else.
    private let path: String?

    /// `cwd` as the client's file has it.
    init(cwd: String?) {
        guard let cwd else {
            path = "."
            return
        }
        let below = cwd.hasPrefix(Self.reference) ? cwd.dropFirst(Self.reference.count) : cwd[...]
        guard !below.contains("${") else {
            unknownDirectory = cwd
            path = "."
            return
        }
        let isBelow = below.count < cwd.count && (below.isEmpty || below.hasPrefix("/"))
        let steps = below.split(separator: "/").filter { $0 != "." }
        guard isBelow, !steps.contains("..") else {
            directory = isBelow ? "." + below : cwd
            path = nil
            return
        }
        directory = steps.isEmpty ? nil : "./" + steps.joined(separator: "/")
        path = steps.isEmpty ? "." : steps.map { _ in ".." }.joined(separator: "/")
    }

    /// The text with the folder in the place of the reference; nil where it names none, or one that can't be said.
    func replaced(in text: String) -> String? {
        guard let path, text.contains(Self.reference) else { return nil }
        return text.replacing(Self.reference, with: path)
    }
}
