/// A request that has been read to the end of its body.
package struct HTTPRequest: Sendable {
    /// The method.
    package let method: HTTPMethod
    /// The path as it was sent: percent-encoding is left alone, dot segments have been refused; begins with `/`, or is `*`.
    package let path: String
    /// What follows the first `?`, or nil.
    package let query: String?
    /// The fields.
    package let headers: HTTPHeaders
    /// The body, without its transfer coding.
    package let body: [UInt8]
    /// Who sent it.
    package let peer: PeerAddress
    /// Whether it came over TLS.
    package let isTLS: Bool
    /// The verified certificate that the client showed, or nil.
    package let clientCertificate: PeerCertificate?
}
