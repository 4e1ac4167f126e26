import Auth
import Diagnostics
import JSON
import MCPProtocol
import Synchronization
import Transport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A call that must wait until its caller has signed in.
struct SignInNeed: Error {
    let upstream: String
    /// What the upstream wants the token to allow; empty where there is no token.
    let scopes: [String]

    init?(_ error: UpstreamError, upstream: String) {
        switch error {
        case .credential(.signInNeeded(let upstream)): (self.upstream, scopes) = (upstream, [])
        case .insufficientScope(let scopes): (self.upstream, self.scopes) = (upstream, scopes)
        default: return nil
        }
    }

    init(upstream: String) { (self.upstream, scopes) = (upstream, []) }
}

/// What a modern client brings back when it tries a call again that had to wait for a sign-in: `requestState`.
///
/// It is good for the same call of the same caller only (MCP 2026-07-28 basic/patterns/mrtr, "Server Requirements").
struct SignInRound {
    static let prefix = "sign-in."
    static let roundsMax = 8
    private static let life = 900

    let upstream: String
    let link: String
    /// How often the caller has been asked, this time included.
    let number: Int
    private let owner: [String]

    init(upstream: String, link: String, number: Int, call: Call, tool: String) {
        self.upstream = upstream
        self.link = link
        self.number = number
        owner = Self.owner(call, tool)
    }

    func sealed(with seal: Seal) throws(Seal.Failure) -> String {
        let json: JSONValue = [
            "owner": .array(owner.map { .string($0) }), "upstream": .string(upstream), "link": .string(link), "number": .number(String(number)),
            "expires": .number(String(time(nil) + Self.life)),
        ]
        return Self.prefix + (try seal.seal(json.bytes, for: "sign-in state"))
    }

    /// Nil for what was not made for this call, or is too old.
    init?(opening sealed: String, with seal: Seal, call: Call, tool: String) {
        guard sealed.utf8.count <= 8_192, let bytes = seal.open(String(sealed.dropFirst(Self.prefix.utf8.count)), for: "sign-in state"),
            let json = try? JSONValue(parsing: bytes), let expires = json["expires"]?.integer, expires > time(nil),
            let upstream = json["upstream"]?.string, let link = json["link"]?.string, let number = json["number"]?.integer
        else { return nil }
        owner = Self.owner(call, tool)
        guard let sealedOwner = json["owner"]?.array?.compactMap(\.string), sealedOwner.count == owner.count,
            zip(sealedOwner, owner).allSatisfy({ $0.utf8.elementsEqual($1.utf8) })
        else { return nil }
        self.upstream = upstream
        self.link = link
        self.number = number
    }

    /// Who calls what with which arguments.
    private static func owner(_ call: Call, _ tool: String) -> [String] {
        let identity = call.caller.identity
        let message = call.message
        let arguments = message.params.arguments.map { message.value($0).bytes } ?? []
        let digest = arguments.withUnsafeBytes { SHA256Digest(of: $0) }.bytes
        return [
            identity.realm, identity.user.map { "=" + $0 } ?? "", identity.client.map { "=" + $0 } ?? "", call.server, tool, Base64.encodeURL(digest),
        ]
    }
}

/// The key of `requestState`, read when it is first needed.
final class SignInSeals: Sendable {
    private let stateFolder: String
    private let known = Mutex<Seal?>(nil)

    init(stateFolder: String) { self.stateFolder = stateFolder }

    func seal() throws -> Seal {
        if let seal = known.withLock({ $0 }) { return seal }
        let seal = try StateFolder.seal(in: stateFolder)
        known.withLock { $0 = seal }
        return seal
    }
}

extension Message {
    /// A `requestState` of ours, for a sign-in.
    var signInState: String? {
        for other in params.others where bytes[other].starts(with: "\"requestState\"".utf8) {
            guard let state = member(other)?.value.string, state.hasPrefix(SignInRound.prefix) else { return nil }
            return state
        }
        return nil
    }

    /// What the client did with that question: `accept`, `decline`, `cancel`; nil where it does not say.
    func action(on question: String) -> String? {
        for other in params.others where bytes[other].starts(with: "\"inputResponses\"".utf8) {
            return member(other)?.value[question]?["action"]?.string
        }
        return nil
    }

    /// Whether that member belongs to a retry after a question.
    func isAnswer(_ other: Range<Int>) -> Bool {
        bytes[other].starts(with: "\"requestState\"".utf8) || bytes[other].starts(with: "\"inputResponses\"".utf8)
    }

    private func member(_ range: Range<Int>) -> JSONValue.Member? {
        let object = [UInt8(ascii: "{")] + bytes[range] + [UInt8(ascii: "}")]
        return (try? JSONValue(parsing: object))?.members?.first
    }
}
