import Foundation
import Testing

@testable import Auth

@Suite("Secrets")
struct SecretTests {
    private static let value = "hunter2-do-not-print"

    @Test("a secret can't be printed, interpolated, dumped or mirrored")
    func neverPrinted() async {
        let secret = Secret(Self.value)
        let credential = try? await StaticGrant(definition: .bearer(reference(.environment("T"))), environment: ["T": Self.value])
            .issue(for: .anonymous, instead: nil)
        var dumped = ""
        dump(secret, to: &dumped)
        dump(credential, to: &dumped)
        dump([secret], to: &dumped)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), String(describing: [secret]), String(reflecting: Optional(secret)),
            "\(String(describing: credential))", String(reflecting: credential), dumped, "\(Mirror(reflecting: secret).children.map { "\($0)" })",
        ]
        for text in texts { #expect(!text.contains(Self.value)) }
        #expect(Mirror(reflecting: secret).children.isEmpty)
        #expect(secret.reveal() == Self.value)
        #expect(credential?.fields.first?.value.reveal() == "Bearer \(Self.value)")
    }

    @Test("text, variables and files are joined in order")
    func joined() throws {
        let folder = try Folder()
        let path = try folder.write("b\n", to: "f")
        let secret = try reference(.text("x-"), .environment("A"), .text("-"), .file(path), .text("!")).resolve(environment: ["A": "a"])
        #expect(secret.reveal() == "x-a-b!")
    }

    @Test(
        "line ends at a file's end are dropped, other space stays",
        arguments: [
            ("t", "t"), ("t\n", "t"), ("t\r\n", "t"), ("t\n\n", "t"), (" t \n", " t "), ("t\t", "t\t"),
        ])
    func lineEnds(content: String, value: String) throws {
        let folder = try Folder()
        #expect(try reference(.file(try folder.write(content, to: "f"))).resolve(environment: [:]).reveal() == value)
    }

    static let unsafe = ["a\nX: 1", "a\r\nX: 1", "a\0b", "a\u{7F}", "a\u{1B}[0m", "\n\na"]

    @Test("a value that could end a header line is refused, and not shown", arguments: unsafe)
    func controlCharacters(value: String) throws {
        let folder = try Folder()
        let path = try folder.write(value, to: "f")
        for (reference, name) in [(reference(.environment("V")), "V"), (reference(.file(path)), path)] {
            #expect { try reference.resolve(environment: ["V": value]) } throws: { error in
                let text = "\(error)"
                return text.contains(name) && !text.contains(value) && text.contains("control characters")
            }
        }
    }

    @Test("a variable that is unset or empty is named", arguments: [[:], ["V": ""]])
    func unset(environment: [String: String]) {
        #expect(throws: UnresolvedSecret(description: "the environment variable V is not set")) {
            try reference(.text("a"), .environment("V")).resolve(environment: environment)
        }
    }

    @Test("a file that is missing, empty, binary, too large or a folder is named")
    func unreadable() throws {
        let folder = try Folder()
        let paths = [
            folder.path + "/missing", folder.path, try folder.write("", to: "empty"), try folder.write("\n\r\n", to: "blank"),
            try folder.write(Data([0xFF, 0xFE]), to: "binary"),
            try folder.write(String(repeating: "a", count: SecretReference.fileBytesMax + 1), to: "large"),
        ]
        for path in paths {
            #expect { try reference(.file(path)).resolve(environment: [:]) } throws: { "\($0)".contains(path) }
        }
        let full = try folder.write(String(repeating: "a", count: SecretReference.fileBytesMax), to: "full")
        #expect(try reference(.file(full)).resolve(environment: [:]).reveal().count == SecretReference.fileBytesMax)
    }
}
