import CShims
import Foundation
import Synchronization
import Testing

@testable import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct LineChannelTests {
    @Test func `lines come from a pipe and go to a pipe`() async throws {
        try await onLoop { loop in
            let (inputEnd, input) = try pipe()
            let (output, outputEnd) = try pipe()
            let lines = Mailbox<String>(capacity: 10)
            let channel = LineChannel(
                input: inputEnd, output: outputEnd, loop: loop, lineBytesMax: 10, queuedBytesMax: 100,
                onLine: { lines.send(String(decoding: $0, as: UTF8.self)) }, onOverlongLine: { lines.send("overlong") }, onEnd: { lines.close() })
            _ = "one\r\n\n two\n0123456789A\nlast".utf8CString.withUnsafeBytes {
                System.write(input, UnsafeRawBufferPointer(rebasing: $0.dropLast()))
            }
            System.close(input)
            var received: [String] = []
            while let line = await lines.next() { received.append(line) }
            #expect(received == ["one", " two", "overlong", "last"])
            // Replies may follow the end of the input.
            #expect(channel.send(line: Array("reply".utf8)))
            #expect(await channel.drained(within: .seconds(5)))
            var reply = [UInt8](repeating: 0, count: 6)
            #expect(reply.withUnsafeMutableBytes { System.read(output, $0) } == 6)
            #expect(reply == Array("reply\n".utf8))
            channel.close()
            for descriptor in [inputEnd, outputEnd, output] { System.close(descriptor) }
        }
    }

    @Test func `a regular file is read and written too`() async throws {
        try await onLoop { loop in
            let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
            defer { try? FileManager.default.removeItem(atPath: path) }
            try (0..<5000).map { "line \($0)\n" }.joined().write(toFile: path, atomically: true, encoding: .utf8)
            let input = open(path, O_RDONLY | O_CLOEXEC)
            let output = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
            let lines = Mailbox<Int>(capacity: 10_000)
            let channel = LineChannel(
                input: input, output: output, loop: loop, lineBytesMax: 100, queuedBytesMax: 100, onLine: { lines.send($0.count) },
                onEnd: { lines.close() })
            var count = 0
            while await lines.next() != nil { count += 1 }
            #expect(count == 5000)
            #expect(channel.send(line: Array("end".utf8)))
            #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("line 4999\nend\n"))
            channel.close()
            System.close(input)
            System.close(output)
        }
    }

    @Test func `what a slow reader does not take is bounded, and drained says so`() async throws {
        try await onLoop { loop in
            let (inputEnd, input) = try pipe()
            let (output, outputEnd) = try pipe()
            let channel = LineChannel(
                input: inputEnd, output: outputEnd, loop: loop, lineBytesMax: 10, queuedBytesMax: 50_000, onLine: { _ in }, onEnd: {})
            let line = [UInt8](repeating: 65, count: 9_999)
            var sent = 0
            while sent < 100, channel.send(line: line) { sent += 1 }
            #expect((5..<20).contains(sent))
            #expect(await !channel.drained(within: .milliseconds(5)))
            let reader = PipeReader(descriptor: output, loop: loop, onBytes: { _ in }, onEnd: {})
            System.setNonBlocking(output)
            #expect(reader.start() == 0)
            #expect(await channel.drained(within: .seconds(5)))
            reader.stop()
            channel.close()
            for descriptor in [inputEnd, input, outputEnd, output] { System.close(descriptor) }
        }
    }

    @Test func `signals come to the loop`() async throws {
        try await onLoop { loop in
            let arrived = Mailbox<Int32>(capacity: 4)
            try Signals.onSignal([SIGUSR1, SIGUSR2], loop: loop) { arrived.send($0) }
            kill(getpid(), SIGUSR1)
            #expect(await arrived.next() == SIGUSR1)
            kill(getpid(), SIGUSR2)
            #expect(await arrived.next() == SIGUSR2)
        }
    }

    private func pipe() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(shim_pipe(&ends) == 0)
        return (ends[0], ends[1])
    }
}
