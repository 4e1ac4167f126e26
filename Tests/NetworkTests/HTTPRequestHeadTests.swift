import Testing

@testable import Network

@Suite struct HTTPRequestHeadTests {
    @Test func byteSetsAreWhatTheirDocumentsSay() {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        for byte in UInt8.min...UInt8.max {
            #expect(HTTPByteSet.token.contains(byte) == (letters + "!#$%&'*+-.^_`|~").utf8.contains(byte))
            #expect(HTTPByteSet.host.contains(byte) == (letters + ".-_~:[]").utf8.contains(byte))
            #expect(HTTPByteSet.target.contains(byte) == ((0x21...0x7e).contains(byte) && !"\"#<>\\".utf8.contains(byte)))
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", nil, "", ""),
        ("GET /a%20b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/a%20b", "c=d?e", "", ""),
        ("GET http://h:1?q HTTP/1.1\r\nHost: H:1\r\n\r\n", "GET", "/", "q", "", ""),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", nil, "", ""),
        ("GET / HTTP/1.0\r\n\r\n", "GET", "/", nil, "", ""),
        ("PATCH /x HTTP/1.1\r\nHost:a\r\nContent-Length:\t3 \r\n\r\nabcdef", "PATCH", "/x", nil, "abc", "def"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n00\r\n\r\nGET", "POST", "/", nil, "a", "GET"),
        ("GET /.well-known/..a HTTP/1.1\r\nHost: [::1]:80\r\nEmpty:\r\n\r\n", "GET", "/.well-known/..a", nil, "", ""),
    ])
    func plainRequestsAreRead(text: String, method: String, path: String, query: String?, body: String, rest: String) {
        #expect(readRequest(text) == .request(ReadRequest(method: method, path: path, query: query, body: body, rest: rest)))
    }

    @Test(arguments: [
        (400, "GET / HTTP/1.1\nHost: a\n\n"), (400, "GET / HTTP/1.1\r\nHost: a\n\r\n"), (400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"), (400, "GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"), (400, "GET / HTTP/1.1\r\nHost\r\n\r\n"), (400, "GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n"), (400, "GET / HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"), (400, "GET / HTTP/1.1\r\nHost: a\r\nX(: a\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\n\r\n"), (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), (400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), (400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
        (400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET /a/%2E./b HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /. HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET / \r\nHost: a\r\n\r\n"), (400, "GET /\r\n\r\n"),
        (400, "GET / http/1.1\r\nHost: a\r\n\r\n"), (400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), (400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, "\u{16}\u{3}\u{1}"), (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), (505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        (501, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"), (417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n"),
    ])
    func malformedHeadsAreRefused(status: Int, text: String) { #expect(readRequest(text) == .fault(status)) }

    @Test(arguments: [
        (400, "Content-Length: 1\r\nContent-Length: 1"), (400, "Content-Length: 5, 5"), (400, "Content-Length: +5"), (400, "Content-Length: -1"),
        (400, "Content-Length: 5 5"), (400, "Content-Length: 0x5"), (400, "Content-Length:"), (400, "Content-Length: 1e3"),
        (400, "Content-Length: 9223372036854775808"), (400, "Content-Length: 5\u{b}"), (413, "Content-Length: 999999999999999999"),
        (400, "Content-Length: 1\r\nTransfer-Encoding: chunked"), (400, "Transfer-Encoding: chunked\r\nContent-Length: 1"),
        (400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), (501, "Transfer-Encoding: chunked, chunked"),
        (501, "Transfer-Encoding: gzip, chunked"), (501, "Transfer-Encoding: xchunked"), (501, "Transfer-Encoding: \"chunked\""),
        (501, "Transfer-Encoding: identity"), (501, "Transfer-Encoding:"), (400, "Transfer-Encoding : chunked"),
        (400, "Transfer-Encoding: chu\u{b}nked"), (400, " Transfer-Encoding: chunked"), (400, "Transfer-Encoding: chunked\r\n\tx"),
    ])
    func framingThatCouldBeReadInTwoWaysIsRefused(status: Int, fields: String) {
        #expect(readRequest("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n") == .fault(status))
    }

    @Test func oneOhHasNoTransferCodings() {
        #expect(readRequest("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == .fault(400))
    }

    @Test func headsAreBounded() {
        let line = "X: " + String(repeating: "a", count: 20_000)
        #expect(readRequest("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n") == .fault(431))
        #expect(readRequest("GET / HTTP/1.1\r\nHost: a\r\n\(line)") == .fault(431))
        #expect(readRequest("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: a\r\n", count: 100) + "\r\n") == .fault(431))
        let exact = "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 16_384 - 32) + "\r\n\r\n"
        #expect(exact.utf8.count == 16_384)
        #expect(readRequest(exact) == .request(ReadRequest(method: "GET", path: "/", query: nil, body: "", rest: "")))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true), ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false),
    ])
    func persistenceIsWhatConnectionSays(text: String, keepsAlive: Bool) throws {
        #expect(try HTTPRequestHead(parsing: Array(text.utf8)).keepsAlive == keepsAlive)
    }

    @Test func fieldsAreFoundWithoutRegardToCase() throws {
        let text =
            "GET / HTTP/1.1\r\nHOST: a\r\nMcp-Method:  tools/call \r\nX-A: 1\r\nx-a: 2\r\nAccept: text/html;q=1, Text/Event-Stream;q=0.5\r\n\r\n"
        let headers = try HTTPRequestHead(parsing: Array(text.utf8)).headers
        #expect(headers.count == 5)
        #expect(headers["mcp-method"] == "tools/call")
        #expect(headers[named: "mcp-method"] == "tools/call")
        #expect(headers["mcp"] == nil)
        #expect(headers.all(of: "x-a") == ["1", "2"])
        #expect(headers.count(of: "x-a") == 2)
        #expect(headers.bytes(of: "x-a").map(Array.init) == Array("1".utf8))
        #expect(headers.isEqual("mcp-method", "tools/call"))
        #expect(!headers.isEqual("mcp-name", ""))
        #expect(headers.contains("accept", token: "text/event-stream"))
        #expect(!headers.contains("accept", token: "text"))
        var names: [String] = []
        headers.forEach { name, _ in names.append(name) }
        #expect(names == ["host", "mcp-method", "x-a", "x-a", "accept"])
    }
}
