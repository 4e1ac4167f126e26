import Diagnostics
import Foundation
import Testing

@testable import Configuration

@Suite struct YAMLTests {
    static let sample = Array(
        """
        # A comment, and ünïcode.
        listen: 127.0.0.1:8080
        upstreams:
          github: { url: "https://a.example/\\u00e9", args: [-y, 'it''s', ~] }
          time:
            command: uvx
            env: {TZ: UTC, N: 0x1F}
        text: |
          two
          lines
        folded: >-
          one
          line
        ? key
        : - 1
          - 1.5e3

        """.utf8)

    @Test(arguments: [
        ("null", YAMLScalar.Kind.null), ("~", .null), ("", .null), ("true", .bool(true)), ("FALSE", .bool(false)), ("yes", .string), ("no", .string),
        ("on", .string), ("12", .integer("12")), ("-012", .integer("-12")), ("+3", .integer("3")), ("0x1f", .integer("31")), ("0o17", .integer("15")),
        ("0x", .string), ("0xg", .string), ("0x1ffffffffffffffff", .notFinite), ("1.5", .float("1.5")), (".5", .float("0.5")), ("5.", .float("5.0")),
        ("1e3", .float("1.0e3")), ("1e", .string), ("-", .string), (".", .string), (".inf", .notFinite), (".nan", .notFinite), ("1_000", .string),
        ("2024-01-01", .string), ("1.2.3", .string), ("12:30", .string), ("tRue", .string), ("0", .integer("0")), ("-0", .integer("-0")),
    ])
    func `A plain scalar is what the core schema of YAML 1.2 says`(_ text: String, _ kind: YAMLScalar.Kind) {
        #expect(YAMLScalar(text: text, isPlain: true).kind == kind)
        #expect(YAMLScalar(text: text, isPlain: false).kind == .string)
    }

    @Test func `Positions count lines and characters from 1`() throws {
        let document = YAMLDocument(parsing: Array("é: {a: b}\nlist:\n  - x\nempty:\n".utf8), file: "f")
        guard case .mapping(let entries) = try #require(document.root).content else {
            Issue.record("no mapping")
            return
        }
        #expect(entries.map(\.keyPosition.description) == ["f:1:1", "f:2:1", "f:4:1"])
        #expect(entries.map(\.value.position.description) == ["f:1:4", "f:3:3", "f:4:7"])
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3\n", "f:3:1: the key \"a\" stands here a second time; the first is at f:1:1; keep one of them"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document begins here; keep one document in a file"),
        ("a: &x 1\n", "f:1:4: anchors and aliases are not read here, and `&x` is one; remove it and write the value out where it is used"),
        ("a: !!str 1\n", "f:1:4: tags are not read here, and `tag:yaml.org,2002:str` is one; remove it"),
        ("a: ! 1\n", "f:1:4: tags are not read here, and `!` is one; remove it"),
        ("? [a]\n: 1\n", "f:1:3: a list cannot be a key; a key is a word before a colon"),
        (
            "a:\n\tb: 1\n",
            "f:2:1: not valid YAML: found character that cannot start any token while scanning for the next token; indent with spaces, not with tabs"
        ),
        (
            "a: @read\n",
            "f:1:4: not valid YAML: found character that cannot start any token while scanning for the next token; put what begins with `@` in quotes"
        ),
        (
            "a: [*]\n",
            "f:1:6: not valid YAML: did not find expected alphabetic or numeric character while scanning an alias that begins at 1:5; put a pattern that begins with `*` in quotes: \"*\""
        ),
        (
            "a: { b: ${env:X} }\n",
            "f:1:10: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping that begins at 1:4; put references in quotes: \"${env:NAME}\""
        ),
        (
            "a: b: c\n",
            "f:1:5: not valid YAML: mapping values are not allowed in this context; put text that holds a colon in quotes, or indent the line to fit the one above"
        ),
        ("a: \u{0}\n", "f:1:4: not valid YAML: control characters are not allowed; remove the character, or write it as an escape in double quotes"),
    ])
    func `What a configuration needs not is refused with its place`(_ text: String, _ problem: String) {
        #expect(YAMLDocument(parsing: Array(text.utf8), file: "f").problems.map(\.description) == [problem])
    }

    @Test func `What is not UTF-8 is refused where it begins`() {
        let problems = YAMLDocument(parsing: Array("a: 1\né: ".utf8) + [0xC3, 0x28], file: "f").problems
        #expect(problems.map(\.description) == ["f:2:4: this is not UTF-8; save the file in the encoding UTF-8"])
    }

    @Test(arguments: [(64, true), (65, false), (100_000, false)])
    func `Nesting ends at 64 levels`(_ depth: Int, _ isRead: Bool) {
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect((YAMLDocument(parsing: Array(text.utf8), file: "f").root != nil) == isRead)
    }

    @Test func `A file ends at 1 MiB`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: (1 << 20) + 1)
        #expect(YAMLDocument(parsing: bytes, file: "f").problems.map(\.what) == ["the file is larger than 1 MiB"])
        #expect(YAMLDocument(parsing: Array(bytes.dropFirst()), file: "f").isEmpty)
    }

    @Test func `Every truncation is read or refused inside the file`() {
        for count in 0...Self.sample.count { expectSound(Array(Self.sample.prefix(count))) }
    }

    @Test func `Every byte at every place is read or refused inside the file`() {
        for place in Self.sample.indices {
            for byte in UInt8.min...UInt8.max {
                var bytes = Self.sample
                bytes[place] = byte
                expectSound(bytes)
            }
        }
    }

    @Test func `Mutations are read or refused inside the file`() {
        var generator = SplitMix(state: 20_260_728)
        let marks = Array("[]{}:,-?&*!|>'\"%@`#\n \t\u{0}~".utf8)
        for _ in 0..<5_000 {
            var bytes = Self.sample
            for _ in 0...Int.random(in: 0..<6, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(marks[Int.random(in: 0..<marks.count, using: &generator)], at: place)
                case 2: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                default: bytes.replaceSubrange(place..<min(place + 20, bytes.count), with: bytes.prefix(Int.random(in: 0..<40, using: &generator)))
                }
                if bytes.isEmpty { bytes = Self.sample }
            }
            expectSound(bytes)
        }
    }

    /// Every position lies in the file, and a file is read, empty or refused.
    private func expectSound(_ bytes: [UInt8]) {
        let document = YAMLDocument(parsing: bytes, file: "f")
        var positions = document.problems.map(\.position)
        if let root = document.root { collect(root, &positions) }
        // libyaml also ends lines at CR, NEL, LS and PS.
        let text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n").unicodeScalars
        let breaks: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]
        let lines = text.split(omittingEmptySubsequences: false) { breaks.contains($0) }
        for position in positions
        where !(1...lines.count).contains(position.line) || !(1...lines[position.line - 1].count + 1).contains(position.column) {
            Issue.record("\(position) lies outside of \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
    }

    private func collect(_ node: YAMLNode, _ positions: inout [SourcePosition]) {
        positions.append(node.position)
        switch node.content {
        case .scalar: break
        case .sequence(let nodes): for node in nodes { collect(node, &positions) }
        case .mapping(let entries):
            for entry in entries {
                positions.append(entry.keyPosition)
                collect(entry.value, &positions)
            }
        }
    }
}

/// Seeded randomness (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
