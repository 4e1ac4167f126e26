import Testing

@testable import Network
@testable import Transport

@Suite("The address that an HTTP+SSE upstream wants posts at")
struct SSETargetTests {
    private let url = UpstreamURL(isTLS: true, host: "up.example", port: 443, target: "/team/sse?key=1")

    static let good: [(String, String)] = [
        ("/messages?id=1", "/messages?id=1"), ("messages?id=1", "/team/messages?id=1"), ("?id=1", "/team/sse?id=1"),
        ("https://up.example/m", "/m"), ("https://up.example:443/m", "/m"), ("HTTPS://UP.example/M?x", "/M?x"),
        ("/m?next=https://evil.example/", "/m?next=https://evil.example/"), ("/@evil.example", "/@evil.example"),
    ]

    @Test("an address on the same origin is used", arguments: good)
    func same(address: String, target: String) throws {
        #expect(try SSEOpening.target(address, at: url) == target)
    }

    @Test(
        "an address on another origin is refused: it would carry the credential away",
        arguments: [
            "https://evil.example/m", "http://up.example/m", "https://up.example:444/m", "https://up.example.evil.example/m", "//evil.example/m",
            "https://up.example@evil.example/m", "https://up.example:443@evil.example/m", "https://user@up.example/m", "ftp://up.example/m",
            "https://up.example", "https://[::1]/m",
        ])
    func other(address: String) {
        #expect(throws: UpstreamError.self) { try SSEOpening.target(address, at: url) }
    }

    @Test(
        "whatever the address, it goes on one line to the upstream's own host",
        arguments: ["/a\r\nHost: evil", "/a b", "a\nb", "\\\\evil.example\\m"])
    func splitting(address: String) throws {
        let target = try SSEOpening.target(address, at: url)
        let origin = HTTPOrigin(isTLS: true, host: "up.example", port: 443)
        let head = String(decoding: HTTPClientRequest(.post, origin, target).head(), as: UTF8.self)
        #expect(head.hasPrefix("POST /") && head.contains("HTTP/1.1\r\nHost: up.example\r\n"))
        #expect(head.split(separator: "\r\n").first?.split(separator: " ").count == 3)
    }

    @Test("an IPv6 upstream is known by its brackets")
    func ipv6() throws {
        let url = UpstreamURL(isTLS: false, host: "::1", port: 8_080, target: "/sse")
        #expect(try SSEOpening.target("http://[::1]:8080/m", at: url) == "/m")
        #expect(throws: UpstreamError.self) { try SSEOpening.target("http://[::1]/m", at: url) }
    }
}
