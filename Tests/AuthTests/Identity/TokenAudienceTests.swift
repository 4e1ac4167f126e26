import Testing

@testable import Auth

/// Tokens for one address alone, as issuers that follow RFC 8707 make them.
@Suite struct TokenAudienceTests {
    private let issuer = FakeIssuer()
    private let team = "https://mcp.example.com/team/mcp"
    private let other = "https://mcp.example.com/other/mcp"

    private func presented(_ token: String, at resource: String?) -> Presented { Presented(authorization: "Bearer \(token)", resource: resource) }

    @Test func `A token for one virtual server is good there and nowhere else`() async throws {
        let identity = issuer.identity()
        let token = TokenDraft().with("aud", .string(team)).signed()
        // Before it is remembered, and after.
        for _ in 0..<2 {
            for place in [other, "https://mcp.example.com", team + "/", nil] {
                #expect(identity.remembered(presented(token, at: place)) == nil)
                await #expect(throws: IdentityRefusal.invalid("a token for somebody else (`aud`)")) {
                    try await identity.identify(presented(token, at: place))
                }
            }
            let caller = try await identity.identify(presented(token, at: team))
            #expect(caller.user == "alice" && identity.remembered(presented(token, at: team)) == caller)
        }
    }

    @Test func `The address of one virtual server among the audiences opens no other`() async throws {
        let identity = issuer.identity(audiences: [team, other, "https://mcp.example.com"])
        let token = TokenDraft().with("aud", .string(team)).signed()
        for _ in 0..<2 {
            #expect(identity.remembered(presented(token, at: other)) == nil)
            await #expect(throws: IdentityRefusal.self) { try await identity.identify(presented(token, at: other)) }
            await #expect(throws: IdentityRefusal.self) { try await identity.identify(presented(token, at: nil)) }
            #expect(try await identity.identify(presented(token, at: team)).user == "alice")
        }
        #expect(try await identity.identify(presented(TokenDraft().signed(), at: other)).user == "alice")
    }

    @Test func `A token for the audience itself is good everywhere`() async throws {
        let identity = issuer.identity()
        for token in [TokenDraft().signed(), TokenDraft().with("aud", [.string(team), "https://mcp.example.com"]).signed()] {
            for place in [team, other, nil] {
                #expect(try await identity.identify(presented(token, at: place)).user == "alice")
                #expect(identity.remembered(presented(token, at: place)) != nil)
            }
        }
    }

    @Test(arguments: ["https://mcp.example.com.evil.example/team/mcp", "http://mcp.example.com/team/mcp", "https://evil.example/team/mcp"])
    func `An address that is not below an audience makes no token good`(_ place: String) async {
        let identity = issuer.identity()
        await #expect(throws: IdentityRefusal.self) {
            try await identity.identify(presented(TokenDraft().with("aud", .string(place)).signed(), at: place))
        }
    }
}
