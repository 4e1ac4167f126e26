#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What can go wrong in this target: a kind to decide by, a text for people.
package struct NetworkError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// A host name has no address.
        case resolve
        /// No address of the host accepted a connection.
        case connect
        /// The handshake or a record failed.
        case tls
        case timedOut
        /// The stream has ended or was ended, by either side.
        case closed
        /// A system call failed with this error number.
        case io(Int32)
        /// The peer does not speak the protocol.
        case protocolViolation
        case tooLarge
        /// A child could not be started.
        case spawn
        /// A limit of our own.
        case overloaded
    }

    package let kind: Kind
    package let text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package var description: String { text }

    static let closed = NetworkError(.closed, "the connection is closed")

    /// `what: Connection refused`, from an error number.
    static func io(_ what: String, _ number: Int32 = errno) -> NetworkError {
        NetworkError(.io(number), "\(what): \(Self.text(of: number))")
    }

    static func text(of number: Int32) -> String { String(cString: strerror(number)) }
}
