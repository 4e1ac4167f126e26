import Foundation
import Testing

@testable import JSON

@Suite("JSON scanner")
struct JSONScannerTests {
    static let samples: [String] = [
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é\u00e9\n","arguments":{"a":[1,-2.5e+10,true,null,{}],"b":""}}}"#,
        #"[0,-0,1.0,1e3,1E-3,"𝄞","\ud834\udd1e",[],[[]],{"a":{"b":{}}}]"#,
        #" { "spaces" : [ 1 , 2 ] , "x" : false } "#,
        #""just a string with / and \/ and \" and \\ and a long plain tail 0123456789 0123456789""#,
    ]

    static let refused: [(String, JSONError.Reason)] = [
        ("", .unexpectedEnd), ("{", .unexpectedEnd), ("[1,]", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte), ("[1 2]", .unexpectedByte),
        ("{\"a\" 1}", .unexpectedByte), ("{a:1}", .unexpectedByte), ("01", .invalidNumber), ("-", .unexpectedEnd), ("1.", .unexpectedEnd),
        ("1.x", .invalidNumber), ("+1", .unexpectedByte), ("NaN", .unexpectedByte), ("\"\u{1}\"", .controlCharacter), ("\"\\x\"", .invalidEscape),
        ("\"\\u12g4\"", .invalidEscape), ("tru", .unexpectedEnd), ("trux", .unexpectedByte), ("1 1", .trailingBytes), ("[}", .unexpectedByte),
        ("{]", .unexpectedByte), ("'a'", .unexpectedByte),
    ]

    @Test("accepts what Foundation accepts, and reads the same", arguments: samples)
    func agrees(sample: String) throws {
        let value = try JSONValue(parsing: Array(sample.utf8))
        #expect(try canonical(value.bytes) == canonical(Array(sample.utf8)))
    }

    @Test("says why a text is refused", arguments: refused)
    func refuses(text: String, reason: JSONError.Reason) {
        #expect { try JSONValue(parsing: Array(text.utf8)) } throws: { ($0 as? JSONError)?.reason == reason }
    }

    @Test("every truncation of an object or array is refused", arguments: samples.prefix(2))
    func truncations(sample: String) {
        let bytes = Array(sample.utf8)
        for end in bytes.indices { #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<end])) } }
    }

    @Test("any byte at any place: the verdict is Foundation's, or stricter")
    func sweep() {
        for sample in Self.samples {
            var bytes = Array(sample.utf8)
            for index in bytes.indices {
                let kept = bytes[index]
                for byte in UInt8.min...UInt8.max {
                    bytes[index] = byte
                    compare(bytes)
                }
                bytes[index] = kept
            }
        }
    }

    @Test("seeded mutations: the verdict is Foundation's, or stricter")
    func mutations() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            var bytes = Array(Self.samples.randomElement(using: &random).map(\.utf8) ?? "".utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                default: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: at)
                }
            }
            compare(bytes)
        }
    }

    private func canonical(_ bytes: [UInt8]) throws -> Data {
        let object = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        return try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .fragmentsAllowed])
    }

    /// What we accept Foundation must accept; the scanner and the tree must agree.
    private func compare(_ bytes: [UInt8]) {
        var scanner = JSONScanner()
        let scanned: Bool
        do {
            try scanner.skipValue(in: bytes.span)
            try scanner.end(in: bytes.span)
            scanned = true
        } catch {
            scanned = false
            #expect((0...bytes.count).contains(error.offset))
        }
        let parsed: Bool
        do {
            _ = try JSONValue(parsing: bytes)
            parsed = true
        } catch { parsed = error.reason == .duplicateKey }
        #expect(scanned == parsed)
        guard scanned else { return }
        let isLoneSurrogate = String(decoding: bytes, as: UTF8.self).lowercased().contains("\\ud")
        #expect(isLoneSurrogate || isBeyondDouble(bytes) || (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil)
    }

    /// Foundation refuses numbers that no Double holds, such as 1e999; JSON does not.
    private func isBeyondDouble(_ bytes: [UInt8]) -> Bool { bytes.contains { $0 | 0x20 == UInt8(ascii: "e") } }

    @Test("nesting is limited")
    func depth() {
        let deep = Array(String(repeating: "[", count: 129).utf8)
        #expect { try JSONValue(parsing: deep) } throws: { ($0 as? JSONError)?.reason == .tooDeep }
    }

    @Test("duplicate keys are refused, however they are escaped")
    func duplicates() {
        for text in [#"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, "{" + (0..<20).map { "\"k\($0)\":0" }.joined(separator: ",") + ",\"k3\":1}"] {
            #expect { try JSONValue(parsing: Array(text.utf8)) } throws: { ($0 as? JSONError)?.reason == .duplicateKey }
        }
    }

    @Test("numbers keep their spelling and members their order")
    func lossless() throws {
        let text = #"{"z":1.0,"a":1e3,"m":-0,"big":123456789012345678901234567890}"#
        #expect(try JSONValue(parsing: Array(text.utf8)).text == text)
    }
}

/// SplitMix64: the same sequence for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
