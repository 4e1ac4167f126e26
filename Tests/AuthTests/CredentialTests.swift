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
    func sends(definition: CredentialDefinition, lines: String) async throws {
        let source = CredentialSource(definition, upstream: "up", services: TestServices(environment: Self.environment).services)
        #expect(String(decoding: try await source.lines(for: .anonymous), as: UTF8.self) == lines)
        #expect(source.known(for: .anonymous).map { String(decoding: $0, as: UTF8.self) } == lines)
        #expect(!source.dependsOnCaller && source.key(for: .anonymous) == .shared)
    }

    @Test("a user name for `basic` has no colon")
    func colon() async {
        let source = CredentialSource(
            .basic(username: reference(.environment("C")), password: reference(.text("p"))), upstream: "up",
            services: TestServices(environment: Self.environment).services)
        await #expect(throws: CredentialFailure.self) { try await source.lines(for: .anonymous) }
    }

    @Test("the references of every form are known", arguments: zip(forms.map(\.0), [0, 1, 2, 2, 2]))
    func references(definition: CredentialDefinition, count: Int) {
        #expect(definition.references.count == count)
    }
}

@Suite("Credentials that come from files")
struct CredentialFileTests {
    private let world = TestServices()

    @Test("a changed file is followed, but looked at only once a second")
    func follows() async throws {
        let folder = try Folder()
        let source = source(.file(try folder.write("one\n", to: "f")))
        #expect(try await text(source) == "one")
        try folder.write("three\n", to: "f")
        world.clock.advance(.milliseconds(999))
        #expect(try await text(source) == "one")
        world.clock.advance(.milliseconds(1))
        #expect(try await text(source) == "three")
    }

    @Test("while the file can't be read, the old value stays in use; then the new one")
    func keepsOld() async throws {
        let folder = try Folder()
        let source = source(.file(try folder.write("one", to: "f")))
        #expect(try await text(source) == "one")
        for content in [nil, "", "bad\u{0}value", "fresh"] {
            if let content { try folder.write(content, to: "f") } else { try folder.remove("f") }
            world.clock.advance(.seconds(2))
            #expect(try await text(source) == (content == "fresh" ? "fresh" : "one"))
        }
    }

    @Test("what can't be had at first is tried at each use")
    func firstFailure() async throws {
        let folder = try Folder()
        let source = source(.file(folder.path + "/f"))
        await #expect(throws: CredentialFailure.self) { try await source.lines(for: .anonymous) }
        try folder.write("late", to: "f")
        #expect(try await text(source) == "late")
    }

    @Test("a refused value is read again at once: a new one is handed out, the same one is not")
    func refused() async throws {
        let folder = try Folder()
        let source = source(.file(try folder.write("one", to: "f")))
        let lines = try await source.lines(for: .anonymous)
        #expect(try await source.refused(lines, for: .anonymous) == nil)
        try folder.write("two", to: "f")
        let fresh = try await source.refused(lines, for: .anonymous)
        #expect(fresh.map { String(decoding: $0, as: UTF8.self) } == "Authorization: Bearer two\r\n")
        // Another call that was refused with the old one gets the new one without another look.
        #expect(try await source.refused(lines, for: .anonymous) == fresh)
    }

    private func source(_ part: SecretReference.Part) -> CredentialSource {
        CredentialSource(.bearer(reference(part)), upstream: "up", services: world.services)
    }

    private func text(_ source: CredentialSource) async throws -> String {
        let line = String(decoding: try await source.lines(for: .anonymous), as: UTF8.self)
        #expect(line.hasPrefix("Authorization: Bearer ") && line.hasSuffix("\r\n"))
        return String(line.dropFirst("Authorization: Bearer ".count).dropLast(1))
    }
}
