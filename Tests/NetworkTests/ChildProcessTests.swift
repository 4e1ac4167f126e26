import Synchronization
import Testing

@testable import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a child under test says, in the order in which it says it.
enum ChildNews: Sendable, Equatable {
    case line(String), log(String), overlong, exit(ChildExit)
}

func start(
    _ executable: String, _ arguments: [String], on loop: EventLoop, environment: [(String, String)] = [("PATH", "/usr/bin:/bin")],
    directory: String = "", lineBytesMax: Int = 1 << 20
) throws -> (child: ChildProcess, news: Mailbox<ChildNews>) {
    let news = Mailbox<ChildNews>(capacity: 10_000)
    let command = ChildCommand(executable: executable, arguments: arguments, environment: environment, directory: directory)
    let events = ChildEvents(
        onLine: { news.send(.line(String(decoding: $0, as: UTF8.self))) }, onLog: { news.send(.log($0)) }, onExit: { news.send(.exit($0)) },
        onOverlongLine: { news.send(.overlong) })
    let child = try ChildProcess.spawn(command, on: loop, lineBytesMax: lineBytesMax, queuedBytesMax: 1 << 20, events: events)
    return (child, news)
}

/// Runs a command to its end; its output lines.
func run(_ executable: String, _ arguments: [String], in directory: String = "", on loop: EventLoop) async throws -> [String] {
    let (_, news) = try start(executable, arguments, on: loop, directory: directory)
    var lines: [String] = []
    var logs: [String] = []
    while let item = await news.next() {
        switch item {
        case .line(let line): lines.append(line)
        case .log(let log): logs.append(log)
        case .overlong: break
        case .exit(.exited(0)): return lines
        case .exit(let exit): throw NetworkError(.spawn, "\(executable) \(exit): \(logs)")
        }
    }
    return lines
}

func isAlive(_ pid: Int32) -> Bool {
    guard kill(pid, 0) == 0 else { return false }
    return ProcessState(of: pid) == .running
}

enum ProcessState {
    case running, zombie, gone

    init(of pid: Int32) {
        let file = open("/proc/\(pid)/stat", O_RDONLY)
        guard file >= 0 else {
            self = .gone
            return
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(file, &bytes, 512)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        self = text.contains(") Z ") ? .zombie : .running
    }
}

@Suite(.serialized) struct ChildProcessTests {
    @Test func `lines go to cat and come back`() async throws {
        try await onLoop { loop in
            let (child, news) = try start("cat", [], on: loop)
            for number in 0..<100 { #expect(child.send(line: Array("line \(number)".utf8))) }
            for number in 0..<100 { #expect(await news.next() == .line("line \(number)")) }
            child.closeInput()
            #expect(await news.next() == .exit(.exited(0)))
            #expect(!child.send(line: [1]))
        }
    }

    @Test func `a large line passes, and one beyond the limit is skipped`() async throws {
        try await onLoop { loop in
            let (child, news) = try start("cat", [], on: loop, lineBytesMax: 3_000_000)
            let large = String(repeating: "x", count: 3_000_000)
            #expect(child.send(line: Array(large.utf8)))
            #expect(await news.next() == .line(large))
            #expect(child.send(line: Array((large + "y").utf8)))
            #expect(await news.next() == .overlong)
            #expect(child.send(line: Array("short".utf8)))
            #expect(await news.next() == .line("short"))
            await child.terminate(grace: .seconds(5))
        }
    }

    @Test func `a full queue refuses lines`() async throws {
        try await onLoop { loop in
            let (child, _) = try start("sleep", ["100"], on: loop)
            let line = [UInt8](repeating: 65, count: 100_000)
            var sent = 0
            while sent < 100, child.send(line: line) { sent += 1 }
            #expect((10..<20).contains(sent))
            await child.terminate(grace: .milliseconds(10))
            #expect(child.exit == .signalled(SIGTERM))
        }
    }

    @Test func `standard error is the log, cut to four kilobytes a line`() async throws {
        try await onLoop { loop in
            let (_, news) = try start("sh", ["-c", "echo oops >&2; head -c 5000 /dev/zero | tr '\\0' a >&2; exit 3"], on: loop)
            #expect(await news.next() == .log("oops"))
            #expect(await news.next() == .log(String(repeating: "a", count: 4096)))
            #expect(await news.next() == .exit(.exited(3)))
        }
    }

    @Test func `a child gets its environment, its directory, three descriptors and nothing else`() async throws {
        try await onLoop { loop in
            let environment = [("PATH", "/usr/bin:/bin"), ("NAME", "a b=c")]
            let (_, news) = try start("sh", ["-c", "pwd; echo \"$NAME\"; ls /proc/self/fd"], on: loop, environment: environment, directory: "/usr")
            #expect(await news.next() == .line("/usr"))
            #expect(await news.next() == .line("a b=c"))
            // The fourth is the folder that ls itself has open.
            for descriptor in 0...3 { #expect(await news.next() == .line("\(descriptor)")) }
            #expect(await news.next() == .exit(.exited(0)))
        }
    }

    @Test(arguments: [
        ("uvx-not-here", "", "no program called “uvx-not-here” in PATH"),
        ("/no/such", "", "there is no program “/no/such”"),
        ("/etc/passwd", "", "“/etc/passwd” may not be run: Permission denied"),
        ("sh", "/no/folder", "there is no directory “/no/folder”"),
        ("", "", "no program is named"),
        ("a\0b", "", "the command, an argument or a variable of “a\0b” has a NUL in it"),
    ])
    func `what cannot be started is explained`(executable: String, directory: String, text: String) async throws {
        try await onLoop { loop in
            do {
                _ = try start(executable, [], on: loop, directory: directory)
                Issue.record("started")
            } catch let error as NetworkError {
                #expect(error.kind == .spawn)
                #expect(error.text == text)
            }
        }
    }

    @Test func `a child that ignores the end of its input and SIGTERM is killed`() async throws {
        try await onLoop { loop in
            let (child, news) = try start("sh", ["-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"], on: loop)
            #expect(await news.next() == .line("up"))
            await child.terminate(grace: .milliseconds(20))
            #expect(child.exit == .signalled(SIGKILL))
        }
    }

    @Test(.timeLimit(.minutes(1))) func `descendants end with the child, also those that left its group`() async throws {
        try await onLoop { loop in
            let (child, news) = try start("sh", ["-c", "sleep 1000 & echo $!; setsid sh -c 'echo $$; exec sleep 1000' & cat"], on: loop)
            var pids: [Int32] = []
            while pids.count < 2, case .line(let line) = await news.next() { pids.append(Int32(line) ?? 0) }
            #expect(pids.allSatisfy { $0 > 1 && isAlive($0) })
            await child.terminate(grace: .seconds(1))
            // A killed process is gone soon, not at once.
            while pids.contains(where: isAlive) { await Task.yield() }
        }
    }

    @Test func `the group of a child that exits by itself is ended`() async throws {
        try await onLoop { loop in
            let (_, news) = try start("sh", ["-c", "sleep 1000 & echo $!"], on: loop)
            guard case .line(let line) = await news.next(), let pid = Int32(line) else {
                Issue.record("no line")
                return
            }
            #expect(await news.next() == .exit(.exited(0)))
            while isAlive(pid) { await Task.yield() }
        }
    }

    @Test func `a stopped loop leaves no child`() async throws {
        let loop = EventLoop(name: "stopped")
        let (child, news) = try start("cat", [], on: loop)
        #expect(child.send(line: [65]))
        #expect(await news.next() == .line("A"))
        loop.stop()
        #expect(await news.next() == .exit(.signalled(SIGKILL)))
        while isAlive(child.pid) { await Task.yield() }
    }

    @Test func `three hundred children leave no descriptor and no zombie behind`() async throws {
        let (before, after) = try await onLoop { loop in
            let before = openDescriptors()
            for _ in 0..<300 {
                let (child, news) = try start("true", [], on: loop)
                #expect(await news.next() == .exit(.exited(0)))
                #expect(waitpid(child.pid, nil, WNOHANG) == -1)
            }
            return (before, openDescriptors())
        }
        #expect(after - before < 100)
    }
}
