#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program to start, with all that it gets from us: nothing else is inherited.
package struct ChildCommand: Sendable {
    /// A path, or a name to be looked up in the `PATH` of `environment`.
    package var executable: String
    /// Without the name of the program itself.
    package var arguments: [String]
    package var environment: [(String, String)]
    /// Empty: ours.
    package var directory: String

    package init(executable: String, arguments: [String] = [], environment: [(String, String)] = [], directory: String = "") {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }

    /// The path of the program; throws `.spawn` with a text for the operator.
    func locate() throws(NetworkError) -> String {
        if !directory.isEmpty, !Self.has(directory, kind: S_IFDIR) { throw NetworkError(.spawn, "there is no directory “\(directory)”") }
        guard !executable.isEmpty else { throw NetworkError(.spawn, "no program is named") }
        let strings = [executable, directory] + arguments + environment.flatMap { [$0.0, $0.1] }
        guard !strings.contains(where: { $0.utf8.contains(0) }) else {
            throw NetworkError(.spawn, "the command, an argument or a variable of “\(executable)” has a NUL in it")
        }
        if executable.contains("/") {
            let path = executable.hasPrefix("/") || directory.isEmpty ? executable : directory + "/" + executable
            guard Self.has(path, kind: S_IFREG) else { throw NetworkError(.spawn, "there is no program “\(path)”") }
            guard access(path, X_OK) == 0 else { throw NetworkError(.spawn, "“\(path)” may not be run: \(NetworkError.text(of: errno))") }
            return path
        }
        let path = environment.last { $0.0 == "PATH" }?.1 ?? "/usr/local/bin:/usr/bin:/bin"
        // An empty or relative entry would be the working directory: a program planted there is not the one that was meant.
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(executable)"
            if Self.has(candidate, kind: S_IFREG), access(candidate, X_OK) == 0 { return candidate }
        }
        throw NetworkError(.spawn, "no program called “\(executable)” in PATH")
    }

    private static func has(_ path: String, kind: mode_t) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == kind
    }
}

/// How a child has ended.
package enum ChildExit: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    init(status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
    }

    package var description: String {
        switch self {
        case .exited(let code): "exited with \(code)"
        case .signalled(let signal): "was ended by signal \(signal)"
        }
    }
}

/// What a child tells us; all are called on its loop.
package struct ChildEvents: Sendable {
    /// A line of its standard output, without the newline; blank lines are passed over.
    package var onLine: @Sendable ([UInt8]) -> Void
    /// A line of its standard error, cut to 4 KB.
    package var onLog: @Sendable (String) -> Void
    /// Once, after its last line.
    package var onExit: @Sendable (ChildExit) -> Void
    /// A line beyond the limit was skipped.
    package var onOverlongLine: @Sendable () -> Void

    package init(
        onLine: @escaping @Sendable ([UInt8]) -> Void, onLog: @escaping @Sendable (String) -> Void = { _ in },
        onExit: @escaping @Sendable (ChildExit) -> Void = { _ in }, onOverlongLine: @escaping @Sendable () -> Void = {}
    ) {
        self.onLine = onLine
        self.onLog = onLog
        self.onExit = onExit
        self.onOverlongLine = onOverlongLine
    }
}
