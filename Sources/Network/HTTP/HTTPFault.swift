/// Why a message was refused while it was being read, and the status that says so.
package struct HTTPFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The status to answer with; after it the connection is closed.
    package let status: Int
    /// One short sentence; never holds what the peer sent.
    package let text: String

    /// Makes a fault with a status of its own.
    package init(_ status: Int, _ text: String) {
        self.status = status
        self.text = text
    }

    /// A message whose syntax or framing is wrong.
    static func malformed(_ text: String) -> HTTPFault { HTTPFault(400, text) }

    /// The status and the sentence.
    package var description: String { "\(status) \(text)" }
}
