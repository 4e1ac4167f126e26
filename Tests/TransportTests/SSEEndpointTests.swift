import Testing

@testable import Transport

@Suite struct SSEEndpointTests {
    private static let url = UpstreamURL(isTLS: true, host: "mcp.example.com", port: 443, target: "/team/sse?v=1")

    @Test(arguments: [
        ("/messages?id=1", "/messages?id=1"), ("messages", "/team/messages"), ("https://mcp.example.com/messages", "/messages"),
        ("https://mcp.example.com:443/messages", "/messages"), ("HTTPS://MCP.example.com/Messages", "/Messages"),
    ])
    func `An address on the same origin is posted to`(_ address: String, _ target: String) throws {
        #expect(try SSEOpening.target(address, at: Self.url) == target)
    }

    @Test(arguments: [
        "https://evil.example/messages", "//evil.example/messages", "http://mcp.example.com/messages", "https://mcp.example.com:8443/messages",
        "https://mcp.example.com.evil.example/messages", "https://mcp.example.com@evil.example/messages", "https://evil.example",
    ])
    func `An address on another origin is refused, for the credential would go there`(_ address: String) {
        #expect(throws: UpstreamError.self) { try SSEOpening.target(address, at: Self.url) }
    }
}
