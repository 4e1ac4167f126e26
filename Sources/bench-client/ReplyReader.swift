import Network

/// Reads HTTP replies off a connection, cheaply: it finds the end, the status and one field, and copies nothing.
final class ReplyReader {
    private static let waitMax = Duration.seconds(30)

    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    /// Where a reply lies in `connection.input`.
    struct Reply {
        let status: Int
        let session: String?
        let isStream: Bool
        let body: Range<Int>
    }

    /// Waits for a whole reply; an endless stream counts as one with its head. Consume `body.upperBound` bytes afterwards.
    func next() async throws(NetworkError) -> Reply {
        let head = try await head()
        if let length = head.length {
            try await fill(to: head.end + length)
            return Reply(status: head.status, session: head.session, isStream: false, body: head.end..<head.end + length)
        }
        guard head.isChunked, !head.isOpenEnded else {
            return Reply(status: head.status, session: head.session, isStream: true, body: head.end..<head.end)
        }
        var at = head.end
        while true {
            let line = try await line(from: at)
            let size = connection.input.withUnsafeBytes { bytes in
                Int(String(decoding: bytes[at..<line], as: UTF8.self), radix: 16)
            }
            guard let size, size >= 0 else { throw NetworkError(.protocolViolation, "a chunk without a size") }
            try await fill(to: line + 2 + size + 2)
            at = line + 2 + size + 2
            if size == 0 { return Reply(status: head.status, session: head.session, isStream: false, body: head.end..<at) }
        }
    }

    private struct Head {
        let status: Int
        let end: Int
        let length: Int?
        let isChunked: Bool
        let isOpenEnded: Bool
        let session: String?
    }

    private func head() async throws(NetworkError) -> Head {
        while true {
            let end = connection.input.withUnsafeBytes { bytes in
                Answer.position(of: "\r\n\r\n", in: UnsafeRawBufferPointer(rebasing: bytes.prefix(16_384)))
            }
            if let end { return parse(end) }
            guard connection.input.count < 16_384 else { throw NetworkError(.protocolViolation, "a head without an end") }
            try await fill(to: connection.input.count + 1)
        }
    }

    private func parse(_ end: Int) -> Head {
        connection.input.withUnsafeBytes { bytes in
            let head = UnsafeRawBufferPointer(rebasing: bytes.prefix(end + 2))
            let status = head.dropFirst(9).prefix(3).reduce(0) { $0 * 10 + Int($1 &- 0x30) }
            let length = field("\r\ncontent-length:", in: head).flatMap { Int($0) }
            let isStream = field("\r\ncontent-type:", in: head)?.hasPrefix("text/event-stream") ?? false
            return Head(
                status: status, end: end + 4, length: status == 202 && length == nil ? 0 : length,
                isChunked: field("\r\ntransfer-encoding:", in: head) != nil, isOpenEnded: isStream && isGet,
                session: wantsSession ? field("\r\nmcp-session-id:", in: head) : nil)
        }
    }

    /// Whether the reply is to a GET, whose stream doesn't end.
    var isGet = false
    /// Whether the session's id is of interest.
    var wantsSession = false

    /// Names in a head are compared without case; values come without their spaces.
    private func field(_ lowercase: StaticString, in head: UnsafeRawBufferPointer) -> String? {
        let count = lowercase.utf8CodeUnitCount
        guard head.count > count else { return nil }
        for start in 0..<(head.count - count) where head[start] == 0x0D && matches(lowercase, head, start) {
            let value = head[(start + count)...].prefix { $0 != 0x0D }.drop { $0 == 0x20 }
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }

    private func matches(_ lowercase: StaticString, _ head: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        for index in 0..<lowercase.utf8CodeUnitCount {
            let byte = head[start + index]
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if lower != lowercase.utf8Start[index] { return false }
        }
        return true
    }

    private func line(from start: Int) async throws(NetworkError) -> Int {
        while true {
            if let end = connection.input.firstIndex(of: 0x0D, from: start), end + 1 < connection.input.count { return end }
            guard connection.input.count - start < 64 else { throw NetworkError(.protocolViolation, "a chunk without a size") }
            try await fill(to: connection.input.count + 1)
        }
    }

    private func fill(to count: Int) async throws(NetworkError) {
        while connection.input.count < count {
            guard try await connection.fill(within: Self.waitMax) else { throw NetworkError(.closed, "the server has hung up") }
        }
    }
}
