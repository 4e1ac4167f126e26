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

/// What a modern client brings back when it tries a call again that ended with `input_required`: `requestState`.
///
/// It is good for the same call of the same caller only, and not for long (MCP 2026-07-28 basic/patterns/mrtr, "Server Requirements").
struct Round {
    /// What the call waits for.
    enum Wait: Hashable {
        /// Its caller's sign-in to the upstream, by that link.
        case signIn(link: String)
        /// The upstream's own state, which is for that upstream alone; nil where it gave none.
        case upstream(state: String?)
        /// Answers to an upstream at which it goes on meanwhile.
        case parked(id: String)
        /// What a person does behind links, of which a legacy upstream hears by itself.
        case links
    }

    static let roundsMax = 16
    private static let stateBytesMax = 512 << 10
    /// What the ids of this process's rounds begin with.
    private static let process = "\(ErrorID())\(ErrorID())"

    let upstream: String
    let wait: Wait
    /// How often the caller has been asked, this time included.
    let number: Int
    /// Unlike for every round.
    let id: String
    var isOfThisProcess: Bool { id.hasPrefix(Self.process) }
    /// Seconds since 1970; 0 before it is sealed.
    private(set) var expires = 0
    private let owner: [String]

    init(upstream: String, wait: Wait, number: Int, of call: Call) {
        self.upstream = upstream
        self.wait = wait
        self.number = number
        owner = Self.owner(of: call)
        id = "\(Self.process)\(ErrorID())\(ErrorID())"
    }

    /// `life` in seconds. An upstream's state that is too long for what a client carries around is its mistake.
    func sealed(with seal: Seal, for life: Int) throws -> String {
        let (kind, value): (String, JSONValue) =
            switch wait {
            case .signIn(let link): ("sign_in", .string(link))
            case .upstream(let state): ("upstream", state.map { .string($0) } ?? .null)
            case .parked(let id): ("parked", .string(id))
            case .links: ("links", .null)
            }
        let json: JSONValue = [
            "owner": .array(owner.map { .string($0) }), "upstream": .string(upstream), "kind": .string(kind), "value": value,
            "id": .string(id), "number": .number(String(number)), "expires": .number(String(time(nil) + life)),
        ]
        let bytes = json.bytes
        guard bytes.count <= Self.stateBytesMax else { throw UpstreamError.violation("its `requestState` is too long") }
        return try seal.seal(bytes, for: "request state")
    }

    /// Nil for what was not made for this call, or is too old.
    init?(opening sealed: String, with seal: Seal, of call: Call) {
        guard sealed.utf8.count <= Self.stateBytesMax * 2, let bytes = seal.open(sealed, for: "request state"),
            let json = try? JSONValue(parsing: bytes), let expires = json["expires"]?.integer, expires > time(nil),
            let upstream = json["upstream"]?.string, let number = json["number"]?.integer, let id = json["id"]?.string
        else { return nil }
        self.id = id
        self.expires = expires
        let value = json["value"]?.string
        switch (json["kind"]?.string, value) {
        case ("sign_in", let link?): wait = .signIn(link: link)
        case ("upstream", let state): wait = .upstream(state: state)
        case ("parked", let id?): wait = .parked(id: id)
        case ("links", nil): wait = .links
        default: return nil
        }
        owner = Self.owner(of: call)
        guard let sealedOwner = json["owner"]?.array?.compactMap(\.string), sealedOwner.count == owner.count,
            zip(sealedOwner, owner).allSatisfy({ $0.utf8.elementsEqual($1.utf8) })
        else { return nil }
        self.upstream = upstream
        self.number = number
    }

    /// Who calls what where, with which arguments.
    private static func owner(of call: Call) -> [String] {
        let identity = call.caller.identity
        let message = call.message
        let arguments = message.params.arguments.map { message.value($0).bytes } ?? []
        let digest = arguments.withUnsafeBytes { SHA256Digest(of: $0) }.bytes
        return [
            identity.realm, identity.user.map { "=" + $0 } ?? "", identity.client.map { "=" + $0 } ?? "", call.server, message.methodText,
            message.text(message.params.name) ?? "", message.text(message.params.uri) ?? "", Base64.encodeURL(digest),
        ]
    }
}

/// The key of `requestState`, read when it is first needed.
final class RoundSeal: Sendable {
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
