import Diagnostics
import JSON
import Testing

@testable import Audit
@testable import Auth

@Suite("Lines of the audit")
struct AuditLineTests {
    private func line(_ event: AuditEvent, values: AuditSettings.Values = .digest, key: UInt8 = 7) throws -> JSONValue {
        let line = AuditLine(values: values, digest: ArgumentDigest(key: [UInt8](repeating: key, count: 32)), masking: masking)
        var bytes: [UInt8] = []
        line.append(event, id: "p-1", to: &bytes)
        #expect(bytes.last == 0x0A && bytes.filter { $0 == 0x0A }.count == 1)
        return try JSONValue(parsing: bytes.dropLast())
    }

    @Test("an event says who, what, where, by which rule, how it ended and how long it took")
    func whole() throws {
        let caller = Caller(.token(issuer: "https://login.example"), user: "alice", client: "bot", groups: ["b", "a"], scopes: [])
        var event = event("create", #"{"a":1}"#, by: caller, meta: #""traceparent":"00-\#(String(repeating: "a", count: 32))-00f067aa0ba902b7-01""#)
        event.upstream = "github"
        event.upstreamName = "create_issue"
        event.decision = Decision(
            .denied, by: RuleReference(text: "deny create", position: SourcePosition(file: "virtual-servers/team.yaml", line: 9, column: 5)),
            role: "reviewer", reason: "not here")
        event.outcome = .denied
        event.failure = CallFailure("timed_out")
        event.duration = .microseconds(12_034)
        let line = try line(event)
        #expect(line["time"] == "2023-11-14T22:13:20.007Z")
        let texts = [
            "event": "p-1", "outcome": "denied", "caller": "user:alice,client:bot", "user": "alice", "client": "bot", "proof": "token",
            "proof_id": "https://login.example", "virtual_server": "team", "tool": "create", "upstream": "github", "upstream_tool": "create_issue",
            "rule": "deny create", "rule_at": "virtual-servers/team.yaml:9:5", "role": "reviewer", "reason": "not here", "error": "timed_out",
            "transport": "http", "revision": "2026-07-28", "traceparent": "00-\(String(repeating: "a", count: 32))-00f067aa0ba902b7-01",
        ]
        for (key, text) in texts { #expect(line[key]?.string == text, "\(key)") }
        #expect(line["groups"] == ["a", "b"])
        #expect(line["duration_ms"] == .number("12.034"))
    }

    @Test("a digest is the same for the same arguments, differs for others and for another installation, and is no plain hash")
    func digest() throws {
        let one = try line(event("a", #"{"pin":1234}"#))["arguments_digest"]?.string ?? ""
        #expect(one.hasPrefix("hmac-sha256:") && one.count == 12 + 64)
        #expect(try line(event("b", #"{"pin":1234}"#))["arguments_digest"]?.string == one)
        #expect(try line(event("a", #"{"pin":1235}"#))["arguments_digest"]?.string != one)
        #expect(try line(event("a", #"{"pin":1234}"#), key: 8)["arguments_digest"]?.string != one)
    }

    /// RFC 4231 §4.2, test case 1.
    @Test("the digest is HMAC-SHA-256")
    func hmac() {
        let digest = ArgumentDigest(key: [UInt8](repeating: 0x0B, count: 20))
        for _ in 0..<2 {
            let text = digest.text(of: Array("Hi There".utf8)[...])
            #expect(text == "hmac-sha256:b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        }
    }

    @Test("values are written only where that is configured", arguments: [AuditSettings.Values.none, .digest, .full])
    func values(_ values: AuditSettings.Values) throws {
        let line = try line(event("a", #"{"q": "text"}"#), values: values)
        #expect((line["arguments"] != nil) == (values == .full))
        #expect((line["arguments_digest"] != nil) == (values != .none))
        #expect((line.text.contains("text")) == (values == .full))
    }

    @Test("secrets never are: by name, by look, by a rule of the virtual server, or because the upstream was given them")
    func secrets() throws {
        var event = event(
            "a",
            #"{"password": "canary1", "deep": [{"password": {"x": "canary2"}}], "t": "ghp_canary3", "owner": "canary4", "say": "it is canary5!"}"#)
        event.concealed = ["owner"]
        event.redaction = { Redaction([Secret("canary5")]) }
        let line = try line(event, values: .full)
        #expect(!line.text.contains("canary"))
        #expect(line["arguments"]?["say"] == "it is ‹secret›!")
    }

    @Test("one event is one line, whatever the client sent", arguments: ["a\nb", "\u{2028}", "x\"},{\"outcome\":\"allowed", "\u{0}\u{7F}"])
    func oneLine(_ text: String) throws {
        let arguments = JSONValue.object([.init(text, .string(text))])
        let spread = "{\n\r  \(arguments.text.dropFirst())"
        var event = event(text, spread)
        event.outcome = .denied
        let line = try line(event, values: .full)
        #expect(line["tool"]?.string == text)
        #expect(line["outcome"] == "denied")
        #expect(line["arguments"] == arguments)
    }

    @Test("long texts are cut, long or doubtful arguments stand there by length and digest only")
    func limits() throws {
        let long = String(repeating: "x", count: 70_000)
        for arguments in [#"{"a":"\#(long)"}"#, #"{"a":1,"\u0061":2}"#] {
            let line = try line(event(long, arguments), values: .full)
            #expect(line["tool"]?.string?.count == 257)
            #expect(line["arguments"] == nil)
            #expect(line["arguments_bytes"]?.integer == arguments.utf8.count)
            #expect(line["arguments_digest"] != nil)
        }
    }

    @Test(
        "only a well-formed trace is taken over",
        arguments: [
            #""traceparent":"x""#, #""traceparent":5"#, #""traceparent":"00-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-00f067aa0ba902b7-01""#, #""other":"y""#,
        ])
    func traces(_ meta: String) throws { #expect(try line(event(meta: meta))["traceparent"] == nil) }
}
