import Synchronization
import Testing

@testable import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs a test's body on a loop of its own and hands back what it returns or throws.
func onLoop<Result: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> Result) async throws -> Result {
    let loop = EventLoop(name: "test")
    defer { loop.stop() }
    return try await withCheckedThrowingContinuation { continuation in
        loop.task {
            do {
                continuation.resume(returning: try await body(loop))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// A listener on the loop that runs a task for each connection.
func serve(
    on loop: EventLoop, tls: TLSServerContext? = nil, _ body: @escaping @Sendable (Connection) async throws -> Void
) throws -> Listener {
    try Listener.bind(host: "127.0.0.1", port: 0, loops: [loop], tls: tls) { connection, loop in
        loop.spawn(with: connection) { connection in
            do { try await body(connection) } catch { connection.close() }
        }
    }
}

/// Sends back all that comes, until the end of the stream.
@Sendable func echo(_ connection: Connection) async throws {
    while try await connection.fill(within: .seconds(10)) {
        connection.write(connection.input.take(connection.input.count))
        try await connection.drained(below: 1 << 20, within: .seconds(10))
    }
    connection.closeAfterWriting()
}

/// Fills until so many bytes are there, and takes them.
func read(_ count: Int, from connection: Connection) async throws -> [UInt8] {
    while connection.input.count < count {
        guard try await connection.fill(within: .seconds(10)) else { throw NetworkError(.closed, "ended after \(connection.input.count) bytes") }
    }
    return connection.input.take(count)
}

func openDescriptors() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
}
