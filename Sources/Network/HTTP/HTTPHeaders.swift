#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The fields of one message: the head's own bytes and where names and values lie in them.
///
/// Names are kept in lower case, so look-ups take lower-case names. Values are without the space around them. Nothing is
/// allocated before a value is asked for. Repeated fields stay apart: ask `count(of:)` where a second one must be refused.
package struct HTTPHeaders: Sendable {
    /// Where one field lies; a head is at most 65,535 bytes long.
    struct Field: Sendable {
        var nameStart: UInt16
        var nameEnd: UInt16
        var valueStart: UInt16
        var valueEnd: UInt16
    }

    /// The most fields that a head may have.
    package static let countMax = 100
    /// The longest head that offsets can reach.
    static let storageBytesMax = 65_535

    let storage: [UInt8]
    let fields: [Field]

    /// No fields.
    package init() {
        storage = []
        fields = []
    }

    init(storage: [UInt8], fields: [Field]) {
        self.storage = storage
        self.fields = fields
    }

    /// How many fields there are.
    package var count: Int { fields.count }

    /// The first value of a field, or nil; bytes that are not UTF-8 come as U+FFFD.
    package subscript(_ lowercaseName: StaticString) -> String? {
        guard let field = first(lowercaseName) else { return nil }
        return value(of: field)
    }

    /// The first value of a field whose name is only known at run time, in lower case.
    package subscript(named lowercaseName: String) -> String? {
        var lowercaseName = lowercaseName
        return lowercaseName.withUTF8 { name in
            fields.first { matches($0, name.baseAddress, name.count) }.map { value(of: $0) }
        }
    }

    /// How often a field occurs whose name is only known at run time, in lower case.
    package func count(named lowercaseName: String) -> Int {
        var lowercaseName = lowercaseName
        return lowercaseName.withUTF8 { name in fields.count { matches($0, name.baseAddress, name.count) } }
    }

    /// Every value of a field, in order.
    package func all(of lowercaseName: StaticString) -> [String] {
        fields.filter { matches($0, lowercaseName.utf8Start, lowercaseName.utf8CodeUnitCount) }.map { value(of: $0) }
    }

    /// How often a field occurs.
    package func count(of lowercaseName: StaticString) -> Int {
        var count = 0
        for field in fields where matches(field, lowercaseName.utf8Start, lowercaseName.utf8CodeUnitCount) { count += 1 }
        return count
    }

    /// The bytes of the first value of a field, or nil; not copied.
    package func bytes(of lowercaseName: StaticString) -> ArraySlice<UInt8>? {
        first(lowercaseName).map { storage[Int($0.valueStart)..<Int($0.valueEnd)] }
    }

    /// Whether the first value of a field is this one, ASCII case aside; false when the field is missing.
    package func isEqual(_ lowercaseName: StaticString, _ lowercaseValue: StaticString) -> Bool {
        guard let value = bytes(of: lowercaseName) else { return false }
        return Self.isEqual(value, lowercaseValue)
    }

    /// Whether a comma-separated field holds a token in any of its lines, ASCII case aside; parameters after `;` are not looked at.
    package func contains(_ lowercaseName: StaticString, token: StaticString) -> Bool {
        for field in fields where matches(field, lowercaseName.utf8Start, lowercaseName.utf8CodeUnitCount) {
            let value = storage[Int(field.valueStart)..<Int(field.valueEnd)]
            for item in value.split(separator: UInt8(ascii: ",")) {
                let name = item.prefix { $0 != UInt8(ascii: ";") }
                if Self.isEqual(Self.trimmed(name), token) { return true }
            }
        }
        return false
    }

    /// Whether the first value of a field holds this text somewhere, ASCII case aside; false when the field is missing.
    package func mentions(_ lowercaseName: StaticString, _ lowercaseText: StaticString) -> Bool {
        guard let field = first(lowercaseName) else { return false }
        let count = lowercaseText.utf8CodeUnitCount
        let text = UnsafeBufferPointer(start: lowercaseText.utf8Start, count: count)
        return storage.withUnsafeBufferPointer { bytes in
            var start = Int(field.valueStart)
            while start + count <= Int(field.valueEnd) {
                guard Self.lowercase(bytes[start]) == text[0] else {
                    start += 1
                    continue
                }
                var same = 1
                while same < count, Self.lowercase(bytes[start + same]) == text[same] { same += 1 }
                if same == count { return true }
                start += 1
            }
            return false
        }
    }

    /// Whether the first value of a field is this text, case and all.
    package func isExactly(_ lowercaseName: StaticString, _ text: String) -> Bool {
        guard let field = first(lowercaseName), Int(field.valueEnd) - Int(field.valueStart) == text.utf8.count else { return false }
        return storage.withUnsafeBufferPointer { bytes in
            var text = text
            return text.withUTF8 { $0.elementsEqual(UnsafeBufferPointer(rebasing: bytes[Int(field.valueStart)..<Int(field.valueEnd)])) }
        }
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Calls with each name, in lower case, and value, in order.
    package func forEach(_ body: (_ name: String, _ value: String) -> Void) {
        for field in fields {
            body(String(decoding: storage[Int(field.nameStart)..<Int(field.nameEnd)], as: UTF8.self), value(of: field))
        }
    }
}

extension HTTPHeaders {
    @inline(__always)
    private func first(_ name: StaticString) -> Field? {
        for field in fields where matches(field, name.utf8Start, name.utf8CodeUnitCount) { return field }
        return nil
    }

    @inline(__always)
    private func matches(_ field: Field, _ name: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
        guard Int(field.nameEnd) - Int(field.nameStart) == count, let name else { return false }
        return storage.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            return memcmp(base + Int(field.nameStart), name, count) == 0
        }
    }

    private func value(of field: Field) -> String {
        String(decoding: storage[Int(field.valueStart)..<Int(field.valueEnd)], as: UTF8.self)
    }

    static func isEqual(_ value: ArraySlice<UInt8>, _ lowercase: StaticString) -> Bool {
        guard value.count == lowercase.utf8CodeUnitCount else { return false }
        var expected = lowercase.utf8Start
        for byte in value {
            guard ASCII.lowercased(byte) == expected.pointee else { return false }
            expected += 1
        }
        return true
    }

    static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value
        while let byte = value.first, byte == ASCII.space || byte == ASCII.tab { value.removeFirst() }
        while let byte = value.last, byte == ASCII.space || byte == ASCII.tab { value.removeLast() }
        return value
    }
}
