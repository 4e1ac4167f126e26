import Auth
import Network

/// Why an upstream gave no answer. The text is for the log; clients see only what kind it was.
package enum UpstreamError: Error, Sendable, CustomStringConvertible {
    /// It can't be reached, or refuses us; nothing was done.
    case unavailable(String)
    /// It is there but refuses this request by its HTTP status; nothing was done.
    case refused(String)
    /// There is no credential for it; nothing was sent.
    case credential(CredentialFailure)
    /// It wants a token with these scopes, as its challenge names them (RFC 6750 §3.1); nothing was done.
    case insufficientScope([String])
    /// It went away in mid-call; the call may have had an effect.
    case broken(String)
    case timedOut
    case cancelled
    /// Another instance of it would be one too many; nothing was sent.
    case busy(String)
    /// It answered with something that is not MCP, or beyond a limit.
    case violation(String)
    /// It answered with MCP that no client should see; the text is ours and quotes nothing of it, so that the caller is told as well.
    case malformed(String)

    /// The same with the upstream's secrets masked, and no longer than a message may be.
    func masked(by redaction: Redaction) -> UpstreamError {
        switch self {
        case .unavailable(let text): .unavailable(redaction.excerpt(text))
        case .refused(let text): .refused(redaction.excerpt(text))
        case .broken(let text): .broken(redaction.excerpt(text))
        case .violation(let text): .violation(redaction.excerpt(text))
        case .timedOut, .cancelled, .busy, .credential, .insufficientScope, .malformed: self
        }
    }

    /// Whether it says more of the credential than of the upstream.
    var isOfCredential: Bool { if case .credential = self { true } else { false } }

    package var description: String {
        switch self {
        case .unavailable(let text): text
        case .refused(let text): text
        case .credential(let failure): failure.description
        case .insufficientScope(let scopes): "it wants a token with more scopes: \(scopes.joined(separator: " "))"
        case .broken(let text): text
        case .timedOut: "no answer in time"
        case .cancelled: "cancelled"
        case .busy(let text): text
        case .violation(let text): text
        case .malformed(let text): text
        }
    }
}

/// The beginning of what an upstream sent; whoever shows it masks and cuts it.
func excerpt(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(4_000), as: UTF8.self) }

extension HTTPClientResponse {
    /// Status and the beginning of the body; a page for people tells nothing but that this is none for programs.
    func quoted(_ body: [UInt8]) -> String {
        if headers["content-type"]?.hasPrefix("text/html") == true {
            return "HTTP \(status) and a web page; is this the address of an MCP server?"
        }
        return body.isEmpty ? "HTTP \(status)" : "HTTP \(status): \(excerpt(body))"
    }
}
