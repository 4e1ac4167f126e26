@testable import Network

/// A request read the way the server reads it: head, then body, from pieces of any size.
struct ReadRequest: Equatable {
    var method: String
    var path: String
    var query: String?
    var body: String
    var rest: String
}

enum ReadOutcome: Equatable {
    case request(ReadRequest)
    case fault(Int)
    case incomplete
}

/// Feeds the pieces to scanner, parser and body reader.
func readRequest(_ pieces: [[UInt8]], headerBytesMax: Int = 16 * 1024, bodyBytesMax: Int = 1024 * 1024) -> ReadOutcome {
    var input: [UInt8] = []
    var scanner = HTTPHeadScanner()
    var head: HTTPRequestHead?
    var reader: HTTPBodyReader?
    var body: [UInt8] = []
    do throws(HTTPFault) {
        for piece in pieces {
            input += piece
            if head == nil {
                let end = try input.withUnsafeBufferPointer { bytes throws(HTTPFault) in
                    try scanner.end(in: UnsafeRawBufferPointer(bytes), bytesMax: headerBytesMax)
                }
                guard let end else { continue }
                let parsed = try HTTPRequestHead(parsing: Array(input[..<end]))
                head = parsed
                reader = HTTPBodyReader(parsed.framing, isRequest: true, overheadBytesMax: 4096)
                input.removeFirst(end)
            }
            guard var current = reader else { continue }
            let used = try input.withUnsafeBufferPointer { bytes throws(HTTPFault) in
                try current.read(UnsafeRawBufferPointer(bytes), into: &body, hardMax: bodyBytesMax)
            }
            input.removeFirst(used)
            reader = current
        }
    } catch {
        return .fault(error.status)
    }
    guard let head, let reader, reader.isDone else { return .incomplete }
    return .request(
        ReadRequest(
            method: head.method.name, path: head.path, query: head.query, body: String(decoding: body, as: UTF8.self),
            rest: String(decoding: input, as: UTF8.self)))
}

func readRequest(_ text: String) -> ReadOutcome { readRequest([Array(text.utf8)]) }

/// A reproducible stream of numbers (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Well-formed requests that the sweeps cut and change.
let goodRequests = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /mcp/s?x=1 HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 5\r\nAccept: */*\r\n\r\nhello",
    "POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-T: v\r\n\r\n",
    "GET http://a/p?q HTTP/1.1\r\nhost: A\r\nConnection: close\r\n\r\nGET",
]
