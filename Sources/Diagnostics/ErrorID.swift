/// Ties what a caller is told to the line in the log that has the cause: eight hexadecimal digits.
package struct ErrorID: Hashable, Sendable, CustomStringConvertible {
    private let value = UInt32.random(in: .min ... .max)

    package init() {}

    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
