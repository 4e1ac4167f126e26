import JSON
import Testing

@testable import MCPProtocol

@Suite("The protocol's vocabulary")
struct VocabularyTests {
    @Test("revisions are in order, and only the last is modern")
    func revisions() {
        #expect(Revision.allCases.sorted() == Revision.allCases)
        #expect(Revision.supported.first == .v2026_07_28)
        #expect(Revision.supported.count == Revision.allCases.count)
        #expect(Revision.allCases.filter { $0.era == .modern } == [.latestModern])
        #expect(Revision.allCases.last { $0.era == .legacy } == .latestLegacy)
        #expect(Revision(rawValue: "2026-07-29") == nil)
    }

    @Test("log levels are ordered by severity")
    func levels() {
        #expect(LogLevel.allCases.sorted() == LogLevel.allCases)
        #expect(LogLevel.debug < .emergency)
        #expect(!(LogLevel.error < .error))
    }

    @Test("an unsupported version's error lets the client choose again")
    func unsupported() {
        let error = ProtocolError.unsupportedVersion(requested: "1999")
        #expect(error.json["code"] == -32022)
        #expect(error.json["data"]?["requested"] == "1999")
        #expect(error.json["data"]?["supported"]?.array?.first == "2026-07-28")
    }

    @Test(
        "a tool needs a name and an object schema",
        arguments: ["{}", #"{"name":""}"#, #"{"name":"a"}"#, #"{"name":5,"inputSchema":{}}"#, #"{"name":"a","inputSchema":true}"#, "[]", "null"])
    func unusableTools(json: String) throws {
        let json = try tree(bytes(json))
        #expect(throws: Unusable.self) { try ToolDefinition(parsing: json.bytes) }
    }

    @Test("a tool keeps members that nobody knows")
    func tool() throws {
        let json: JSONValue = ["x": 1, "inputSchema": ["type": "object"], "name": "a", "_meta": ["y": nil]]
        #expect(try ToolDefinition(parsing: json.bytes).json == json)
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test("what is encoded comes back", arguments: 0..<40)
    func roundTrip(count: Int) {
        var random = SeededNumbers(state: UInt64(count))
        let plain = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(Base64.decode(Base64.encode(plain).utf8) == plain)
        #expect(Base64.decodeURL(Base64.encodeURL(plain)) == plain)
        #expect(Base64.encodeURL(plain).utf8.allSatisfy { $0 != 0x2B && $0 != 0x2F && $0 != 0x3D })
    }

    @Test("both alphabets", arguments: [([UInt8(0xFB), 0xEF, 0xFF], "++//", "--__"), ([0xFF], "/w==", "_w"), ([], "", "")])
    func alphabets(plain: [UInt8], standard: String, url: String) {
        #expect(Base64.encode(plain) == standard)
        #expect(Base64.encodeURL(plain) == url)
        #expect(Base64.decode(standard.utf8) == plain)
        #expect(Base64.decodeURL(url) == plain)
    }

    @Test("sloppy base64 is refused", arguments: ["A", "QQ", "QQ=", "QQ===", "Q Q=", "QQ==\n", "QR==", "QUJ=", "=QQ=", "-_8=", "ü"])
    func strict(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test("sloppy base64url is refused: one value has one spelling", arguments: ["A", "QQ==", "+/", "QR", "QUJ", "Q Q", "A\n", "QQ\u{0}"])
    func strictURL(text: String) {
        #expect(Base64.decodeURL(text) == nil)
    }
}
