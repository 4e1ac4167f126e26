/// A path as the person named it, for messages, and as the system finds it.
struct NamedPath: Hashable, Sendable {
    let shown: String
    /// From the root.
    let absolute: String

    /// `path` as given on the command line of a program that runs in `workingDirectory`.
    init(_ path: String, in workingDirectory: String) {
        shown = path
        absolute = path.hasPrefix("/") ? path : Self.join(workingDirectory, path)
    }

    private init(shown: String, absolute: String) {
        self.shown = shown
        self.absolute = absolute
    }

    /// The folder that it lies in; shown as nothing where the person named none.
    var folder: NamedPath { NamedPath(shown: Self.folder(of: shown), absolute: Self.folder(of: absolute)) }

    /// What a file in this folder calls `path`; an absolute path stays as it is.
    func appending(_ path: String) -> NamedPath {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard !path.hasPrefix("/") else { return NamedPath(shown: path, absolute: path) }
        return NamedPath(shown: Self.join(shown, path), absolute: Self.join(absolute, path))
    }

    /// What stands behind the last slash.
    var name: String { String(shown.split(separator: "/").last ?? "") }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func join(_ folder: String, _ name: String) -> String {
        if folder.isEmpty { return name }
        return folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }
}
