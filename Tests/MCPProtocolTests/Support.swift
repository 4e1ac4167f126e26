import JSON

@testable import MCPProtocol

/// Bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A message that must be well-formed.
func message(_ text: String) throws -> Message { try Message(scanning: bytes(text)) }

func tree(_ bytes: [UInt8]) throws -> JSONValue { try JSONValue(parsing: bytes) }

/// A key with every letter written as an escape: what a smuggler would send.
func escaped(_ key: String) -> String {
    key.utf8.map { byte in
        let digits = String(byte, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
}

/// SplitMix64: the same sequence for the same seed, everywhere.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
