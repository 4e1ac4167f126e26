import Foundation
import Testing

@testable import Auth

@Suite("Credentials")
struct CredentialTests {
    private static let environment = ["T": "tok", "U": "Aladdin", "P": "open sesame", "C": "a:b"]

    static let forms: [(CredentialDefinition, String)] = [
        (.none, ""),
        (.bearer(reference(.environment("T"))), "Authorization: Bearer tok\r\n"),
        (
            .basic(username: reference(.environment("U")), password: reference(.environment("P"))),
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
        ),
        (.basic(username: reference(.text("u")), password: reference(.environment("C"))), "Authorization: Basic dTphOmI=\r\n"),
        (
            .headers([.init(name: "X-A", value: reference(.text("v "), .environment("T"))), .init(name: "X-B", value: reference(.environment("P")))]),
            "X-A: v tok\r\nX-B: open sesame\r\n"
        ),
    ]

    @Test("every form is sent as its header lines", arguments: forms)
    func sends(definition: CredentialDefinition, lines: String) throws {
        #expect(String(decoding: try CredentialSource(definition, environment: Self.environment).lines(), as: UTF8.self) == lines)
    }

    @Test("a user name for `basic` has no colon")
    func colon() {
        let source = CredentialSource(
            .basic(username: reference(.environment("C")), password: reference(.text("p"))), environment: Self.environment)
        #expect(throws: UnresolvedSecret.self) { try source.lines() }
    }

    @Test("the references of every form are known", arguments: zip(forms.map(\.0), [0, 1, 2, 2, 2]))
    func references(definition: CredentialDefinition, count: Int) {
        #expect(definition.references.count == count)
    }
}

@Suite("Credentials that come from files")
struct CredentialSourceTests {
    @Test("a changed file is followed, but looked at only once a second")
    func follows() throws {
        let folder = try Folder()
        let source = CredentialSource(.bearer(reference(.file(try folder.write("one\n", to: "f")))), environment: [:])
        let start = ContinuousClock.now
        #expect(try text(source, at: start) == "one")
        try folder.write("three\n", to: "f")
        #expect(try text(source, at: start + .milliseconds(999)) == "one")
        #expect(try text(source, at: start + .seconds(1)) == "three")
    }

    @Test("while the file can't be read, the old value stays in use; then the new one")
    func keepsOld() throws {
        let folder = try Folder()
        let source = CredentialSource(.bearer(reference(.file(try folder.write("one", to: "f")))), environment: [:])
        let start = ContinuousClock.now
        #expect(try text(source, at: start) == "one")
        try folder.remove("f")
        #expect(try text(source, at: start + .seconds(2)) == "one")
        try folder.write("", to: "f")
        #expect(try text(source, at: start + .seconds(4)) == "one")
        try folder.write("bad\0value", to: "f")
        #expect(try text(source, at: start + .seconds(6)) == "one")
        try folder.write("fresh", to: "f")
        #expect(try text(source, at: start + .seconds(8)) == "fresh")
    }

    @Test("what can't be had at first is tried at each use")
    func firstFailure() throws {
        let folder = try Folder()
        let source = CredentialSource(.bearer(reference(.file(folder.path + "/f"))), environment: [:])
        let start = ContinuousClock.now
        #expect(throws: UnresolvedSecret.self) { try source.lines(at: start) }
        try folder.write("late", to: "f")
        #expect(try text(source, at: start) == "late")
    }

    private func text(_ source: CredentialSource, at now: ContinuousClock.Instant) throws -> String {
        let line = String(decoding: try source.lines(at: now), as: UTF8.self)
        #expect(line.hasPrefix("Authorization: Bearer ") && line.hasSuffix("\r\n"))
        return String(line.dropFirst("Authorization: Bearer ".count).dropLast(1))
    }
}
