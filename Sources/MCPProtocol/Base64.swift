#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// RFC 4648, strict: no white space, padding required (`base64`) or absent (`base64url`), unused bits zero (§3.5).
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard let bytes = Data(base64Encoded: Data(text)).map(Array.init), encode(bytes).utf8.elementsEqual(text) else { return nil }
        return bytes
    }

    package static func encodeURL(_ bytes: [UInt8]) -> String {
        String(decoding: encode(bytes).utf8.compactMap { $0 == 0x2B ? 0x2D : $0 == 0x2F ? 0x5F : $0 == 0x3D ? nil : $0 }, as: UTF8.self)
    }

    package static func decodeURL(_ text: String) -> [UInt8]? {
        var standard = text.utf8.map { $0 == 0x2D ? 0x2B : $0 == 0x5F ? 0x2F : $0 }
        guard !text.utf8.contains(where: { $0 == 0x2B || $0 == 0x2F || $0 == 0x3D }) else { return nil }
        standard.append(contentsOf: repeatElement(0x3D, count: (4 - standard.count % 4) % 4))
        // The last character may carry bits that mean nothing: one value has one spelling here, so that a changed token is a wrong one.
        return decode(standard).flatMap { encodeURL($0) == text ? $0 : nil }
    }
}
