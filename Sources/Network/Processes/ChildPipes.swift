import CShims

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The three pipes to a child that is being started; all ends close on exec, ours do not block.
struct ChildPipes {
    struct Pipe {
        var ours: Int32
        var theirs: Int32
    }

    let input: Pipe
    let output: Pipe
    let log: Pipe

    init() throws(NetworkError) {
        var made: [Pipe] = []
        do throws(NetworkError) {
            for isInput in [true, false, false] {
                var ends: [Int32] = [-1, -1]
                guard shim_pipe(&ends) == 0 else { throw NetworkError(.spawn, "no pipe for a child: \(NetworkError.text(of: errno))") }
                let pipe = isInput ? Pipe(ours: ends[1], theirs: ends[0]) : Pipe(ours: ends[0], theirs: ends[1])
                System.setNonBlocking(pipe.ours)
                made.append(pipe)
            }
        } catch {
            for pipe in made { [pipe.ours, pipe.theirs].forEach(System.close) }
            throw error
        }
        (input, output, log) = (made[0], made[1], made[2])
    }

    func closeTheirs() { [input.theirs, output.theirs, log.theirs].forEach(System.close) }

    func closeAll() {
        closeTheirs()
        [input.ours, output.ours, log.ours].forEach(System.close)
    }
}

extension ChildProcess {
    /// Starts the program with its ends of the pipes and returns its number.
    static func start(_ command: ChildCommand, path: String, pipes: ChildPipes) throws(NetworkError) -> Int32 {
        let arguments = ([command.executable] + command.arguments).map { strdup($0) }
        let environment = command.environment.map { strdup("\($0.0)=\($0.1)") }
        defer { (arguments + environment).forEach { free($0) } }
        var pid: pid_t = 0
        let error = shim_spawn(
            path, arguments + [nil], environment + [nil], command.directory, pipes.input.theirs, pipes.output.theirs, pipes.log.theirs, &pid)
        guard error == 0 else {
            let reason = error == ENOEXEC ? "it is neither a program nor a script with a #! line" : NetworkError.text(of: error)
            throw NetworkError(.spawn, "“\(path)” could not be started: \(reason)")
        }
        return pid
    }
}
