/// A set of ASCII bytes, looked up without branches on memory.
struct HTTPByteSet: Sendable {
    /// Bytes 0 to 63.
    let low: UInt64
    /// Bytes 64 to 127.
    let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let half = byte < 64 ? low : high
        return byte < 128 && (half >> UInt64(byte & 63)) & 1 == 1
    }

    /// `tchar` (RFC 9110 §5.6.2).
    static let token = HTTPByteSet(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe)
    /// What a request target may hold: visible ASCII but `"`, `#`, `<`, `>` and `\`.
    static let target = HTTPByteSet(low: 0xafff_fff2_0000_0000, high: 0x7fff_ffff_efff_ffff)
    /// What a host with a port may hold: letters, digits and `.-_~:[]`.
    static let host = HTTPByteSet(low: 0x07ff_6000_0000_0000, high: 0x47ff_fffe_afff_fffe)
}

/// The bytes that HTTP and SSE are cut by.
enum ASCII {
    static let nul: UInt8 = 0
    static let tab: UInt8 = 9
    static let lf: UInt8 = 10
    static let cr: UInt8 = 13
    static let space: UInt8 = 32
    static let percent: UInt8 = 37
    static let dot: UInt8 = 46
    static let slash: UInt8 = 47
    static let colon: UInt8 = 58
    static let question: UInt8 = 63

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    /// The byte with A–Z made a–z.
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> Int? {
        if isDigit(byte) { return Int(byte &- 48) }
        let letter = (byte | 0x20) &- 97
        return letter < 6 ? Int(letter) + 10 : nil
    }

    /// Whether a field value may hold the byte: everything but control characters (RFC 9110 §5.5); tab is allowed.
    @inline(__always)
    static func isFieldValue(_ byte: UInt8) -> Bool { (byte >= space && byte != 127) || byte == tab }
}
