import MCPProtocol
import Testing

@testable import Auth

@Suite struct RedactionTests {
    private static let token = "t0ken-value"

    @Test(arguments: [
        ("you sent t0ken-value", "you sent ‹secret›"), ("t0ken-valuet0ken-value!", "‹secret›‹secret›!"), ("T0KEN-VALUE", "T0KEN-VALUE"),
        ("nothing", "nothing"), ("", ""), ("t0ken", "t0ken"),
    ])
    func `A secret is masked wherever it stands`(_ text: String, _ masked: String) {
        #expect(Redaction([Secret(Self.token)]).mask(text) == masked)
    }

    @Test func `A credential is masked with and without the word before it, and so are its parts`() async throws {
        let definition = CredentialDefinition.basic(username: reference(.text("user-name")), password: reference(.environment("P")))
        let grant = StaticGrant(definition: definition, environment: ["P": Self.token])
        let fields = try await grant.issue(for: .anonymous, instead: nil).fields.map(\.value)
        let redaction = Redaction(fields + [Secret(Self.token)])
        let pair = Base64.encode(Array("user-name:\(Self.token)".utf8))
        for said in ["Basic \(pair)", pair, "basic \(pair)", "\(pair) \(Self.token)"] {
            let masked = redaction.mask("got \(said).")
            #expect(!masked.contains(pair) && !masked.contains(Self.token) && masked.contains("‹secret›"), "\(masked)")
        }
        #expect(Redaction([Secret("Bearer \(Self.token)")]).mask("{\"token\":\"\(Self.token)\"}") == #"{"token":"‹secret›"}"#)
    }

    @Test func `The longer of two secrets is masked whole`() {
        let redaction = Redaction([Secret("secret-1"), Secret("secret-1-and-more")])
        #expect(redaction.mask("secret-1-and-more, secret-1") == "‹secret›, ‹secret›")
    }

    @Test(arguments: ["6bytes", "7-bytes"])
    func `A short secret is masked whole, however short the text`(_ secret: String) {
        for text in ["", "6", "6bytes", "6byte", "7-bytes", "7-byte", "x6bytes", "say 7-bytes"] {
            #expect(!Redaction([Secret(secret)]).mask(text).contains(secret))
        }
    }

    @Test func `What is short enough to stand in any text is left`() {
        #expect(Redaction([Secret("true"), Secret("12345")]).mask("true 12345") == "true 12345")
    }

    @Test(arguments: 0..<40)
    func `A quotation is cut after it was masked, so that no half of a secret is left`(_ shift: Int) {
        let text = String(repeating: "x", count: 280 + shift) + Self.token + String(repeating: "y", count: 300)
        let excerpt = Redaction([Secret(Self.token)]).excerpt(text)
        #expect(!excerpt.contains("t0k") && excerpt.count == 301 && excerpt.hasSuffix("…"))
    }

    @Test(arguments: 6..<40)
    func `What was cut within a secret before it came here is masked too`(_ length: Int) {
        let secret = String("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH".prefix(40))
        #expect(Redaction([Secret(secret)]).mask("sent: \(secret.prefix(length))") == "sent: ‹secret›")
        #expect(Redaction([Secret(secret)]).mask(String(secret.prefix(length))) == "‹secret›")
    }
}
