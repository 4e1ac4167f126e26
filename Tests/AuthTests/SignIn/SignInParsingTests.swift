import Testing

@testable import Auth

@Suite struct BearerChallengeTests {
    @Test(
        arguments: [
            (#"Bearer resource_metadata="https://up.example/.well-known/x", scope="a b""#, "https://up.example/.well-known/x", ["a", "b"]),
            (#"bearer error="invalid_token",scope=a"#, nil, ["a"]),
            (#"Basic realm="x", resource_metadata="https://no", Bearer scope="a\"b""#, nil, [#"a"b"#]),
            (#"Bearer resource_metadata="https://first", resource_metadata="https://second""#, "https://first", []),
            (#"Bearer scope="a", Digest resource_metadata="https://no""#, nil, ["a"]), ("Bearer", nil, []),
        ] as [(String, String?, [String])])
    func `A challenge says where the metadata is and what is wanted`(field: String, metadata: String?, scopes: [String]) throws {
        let challenge = try #require(BearerChallenge(field))
        #expect(challenge.resourceMetadata == metadata && challenge.scopes == scopes)
    }

    @Test(arguments: ["", "Basic realm=\"Bearer\"", #"Bearer scope="open"#, "DPoP algs=\"ES256\""])
    func `What is no Bearer challenge is none`(field: String) { #expect(BearerChallenge(field) == nil) }
}

@Suite struct HTTPAddressTests {
    @Test(arguments: [
        ("https://Up.Example:443/mcp?a=b", "https://up.example", "/mcp"), ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
        ("http://[::1]:9/x", "http://[::1]:9", "/x"), ("HTTPS://a.example", "https://a.example", ""),
    ])
    func `An address is taken apart`(text: String, origin: String, path: String) throws {
        let address = try #require(HTTPAddress(text))
        #expect(address.origin == origin && address.path == path && address.isSafe)
    }

    @Test(arguments: [
        "", "javascript:alert(1)", "data:text/html,x", "https://", "https://user@host/", "https://host/#x", "https://ho st/", "https://host\\@evil/",
        "https://host:0/", "https://host:99999/", "//host/", "https://ho\nst/", "https://h\"ost/",
    ])
    func `What a browser could read differently is none`(text: String) { #expect(HTTPAddress(text) == nil) }

    @Test(arguments: ["http://example.com/", "http://127.evil.example/", "http://localhost.evil.example/"])
    func `Clear text is for this machine only`(text: String) throws { #expect(try !#require(HTTPAddress(text)).isSafe) }
}

@Suite struct FormParametersTests {
    @Test func `Parameters are decoded`() throws {
        let parameters = try #require(FormParameters("code=a%2Bb+c&state=%C3%A4&empty="))
        #expect(parameters["code"] == "a+b c" && parameters["state"] == "ä" && parameters["empty"] == "" && parameters["iss"] == nil)
    }

    @Test(arguments: ["code=a&code=b", "code=%", "code=%4", "code=%zz", "code=%FF", "co%64e=a&code=b"])
    func `What two readers could take differently is refused`(text: String) { #expect(FormParameters(text) == nil) }
}

@Suite struct ProofKeyTests {
    @Test func `The challenge is that of RFC 7636 appendix B`() {
        #expect(ProofKey(verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }
}

@Suite struct SignInPageTests {
    @Test func `No name becomes markup or turns the line around`() {
        #expect(SignInPage.escaped("<img src=x onerror='a'>&\"\u{202E}\n") == "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;\u{FFFD}\u{FFFD}")
    }

    @Test func `Two cookies of one name are none`() {
        #expect(SignInRequest(method: "GET", path: "", cookies: ["a=1; b=2"]).cookie("b") == "2")
        #expect(SignInRequest(method: "GET", path: "", cookies: ["b=1; b=2"]).cookie("b") == nil)
        #expect(SignInRequest(method: "GET", path: "", cookies: ["b=1", "b=2"]).cookie("b") == nil)
    }
}
