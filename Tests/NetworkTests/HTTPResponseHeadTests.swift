import Testing

@testable import Network

@Suite struct HTTPResponseHeadTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", HTTPMethod.get, 200, HTTPFraming.length(3), true),
        ("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", .post, 200, .chunked, true), ("HTTP/1.1 200 \r\n\r\n", .get, 200, .untilClose, false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", .head, 200, .none, true), ("HTTP/1.1 204 No Content\r\n\r\n", .post, 204, .none, true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", .get, 304, .none, true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", .get, 200, .length(3), false),
        ("HTTP/1.1 404 Nicht gefunden \u{fc}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", .get, 404, .length(0), false),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", .get, 103, .none, true), ("HTTP/1.1 200 OK\r\n\r\n", .connect, 200, .none, true),
    ])
    func plainHeadsAreRead(text: String, method: HTTPMethod, status: Int, framing: HTTPFraming, keepsAlive: Bool) throws {
        let head = try HTTPResponseHead(parsing: Array(text.utf8), to: method)
        #expect(head.status == status)
        #expect(head.framing == framing)
        #expect(head.keepsAlive == keepsAlive)
        #expect(head.isInterim == (status < 200))
    }

    @Test(arguments: [
        "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 O\u{1}K\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "ICY 200 OK\r\n\r\n", "H\r\n\r\n", "HTTP/1.1 200 OK\r\nA\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])
    func malformedHeadsAreRefused(text: String) {
        #expect(throws: HTTPFault.self) { try HTTPResponseHead(parsing: Array(text.utf8), to: .get) }
    }
}
