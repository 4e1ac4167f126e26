/// Who makes a call. Only this target makes one, so that having one proves that the question was asked.
///
/// An object, because every step of a call hands it on; it never changes.
package final class Caller: Sendable {
    /// How the caller proved who they are.
    package enum Proof: Hashable, Sendable {
        /// Not at all: anyone who may reach the listener.
        case none
        /// They are the person at this machine: stdio, `tools`, `call`.
        case login
        /// An API key from the keys file, by its id.
        case key(id: String)
        /// A token of this issuer.
        case token(issuer: String)
        /// A client certificate, by the SHA-256 of its DER form in hex, and until when it is good, in seconds since 1970.
        case certificate(fingerprint: String, expires: Int)
        /// Nobody asked them: `--as`, on this machine only.
        case assumed
    }

    package let proof: Proof
    /// Unique with its issuer; nil for a caller that is a program only.
    package let user: String?
    package let client: String?
    package let groups: Set<GroupName>
    /// The scopes of the caller's token; empty for other proofs.
    package let scopes: Set<String>
    /// The verified token, only to be exchanged for another (RFC 8693); never sent upstream.
    package let token: BearerToken?
    /// Who the caller is, whatever proof they brought this time: what sessions, sealed state and stored tokens are bound to.
    ///
    /// A renewed token or a second key of the same name has the same value; users of two issuers have not.
    package let identity: CallerIdentity

    init(
        _ proof: Proof, user: String? = nil, client: String? = nil, groups: Set<GroupName> = [], scopes: Set<String> = [], token: BearerToken? = nil
    ) {
        self.proof = proof
        self.user = user
        self.client = client
        self.groups = groups
        self.scopes = scopes
        self.token = token
        identity =
            switch proof {
            case .token(let issuer): CallerIdentity(realm: "issuer \(issuer)", user: user, client: client)
            case .key: CallerIdentity(realm: "key", user: user, client: client)
            case .certificate: CallerIdentity(realm: "certificate", user: user, client: client)
            case .login, .assumed: CallerIdentity(realm: "local", user: user, client: client)
            case .none: CallerIdentity(realm: "anonymous", user: nil, client: nil)
            }
    }

    package static let anonymous = Caller(.none)

    package static func localUser(_ login: String) -> Caller { Caller(.login, user: login) }
}

extension Caller: Hashable {
    package static func == (a: Caller, b: Caller) -> Bool {
        a === b
            || a.proof == b.proof && a.identity == b.identity && a.user == b.user && a.client == b.client && a.groups == b.groups
                && a.scopes == b.scopes && a.token == b.token
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(proof)
        hasher.combine(identity)
        hasher.combine(groups)
    }
}

/// What stays the same of a caller from one request to the next.
package struct CallerIdentity: Hashable, Sendable {
    package let realm: String
    package let user: String?
    package let client: String?
    /// Unlike for unlike identities: the three with bytes between them that are in no UTF-8.
    package let key: [UInt8]

    package init(realm: String, user: String?, client: String?) {
        self.realm = realm
        self.user = user
        self.client = client
        var key = Array(realm.utf8)
        for (mark, name) in [(0xFF as UInt8, user), (0xFE, client)] {
            guard let name else { continue }
            key.append(mark)
            key.append(contentsOf: name.utf8)
        }
        self.key = key
    }

    /// Byte for byte: to `==` of strings `Kelvin` with U+212A is `Kelvin`, and whoever may choose such a name would be somebody else.
    package static func == (a: CallerIdentity, b: CallerIdentity) -> Bool { a.key == b.key }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// A caller's own token, and until when it is good.
package struct BearerToken: Hashable, Sendable {
    package let value: Secret
    /// Seconds since 1970.
    package let expires: Int
    /// Whose key signed it, so that it ends when its issuer withdraws the key; nil in tests.
    let signer: SHA256Digest?
    /// The one address that it is for; nil for all of them.
    let resource: String?
    /// What it says but for what is another in each: times, numbers, sessions.
    let content: SHA256Digest?
    /// Under which settings of its issuer it was verified; nil in tests.
    let term: TokenIssuer.Term?

    init(
        value: Secret, expires: Int, signer: SHA256Digest? = nil, resource: String? = nil, content: SHA256Digest? = nil, term: TokenIssuer.Term? = nil
    ) {
        self.value = value
        self.expires = expires
        self.signer = signer
        self.resource = resource
        self.content = content
        self.term = term
    }

    /// Whether it was issued for this address, or for all.
    func isFor(_ other: String?) -> Bool { resource.map { resource in other.map { isSame(resource, $0) } ?? false } ?? true }

    package static func == (a: BearerToken, b: BearerToken) -> Bool { a.value.reveal() == b.value.reveal() }
    package func hash(into hasher: inout Hasher) { hasher.combine(value.reveal()) }
}

extension Caller: CustomStringConvertible {
    /// `anonymous`, or `user:ID` and `client:ID` joined by a comma; one inside a name has a backslash, as a backslash has, so that no name
    /// reads as two, and what no person sees or what turns the direction of writing is spelt out.
    package var description: String {
        let parts = [user.map { "user:\(Self.escaped($0))" }, client.map { "client:\(Self.escaped($0))" }].compactMap(\.self)
        return parts.isEmpty ? "anonymous" : parts.joined(separator: ",")
    }

    private static func escaped(_ name: String) -> String {
        guard !name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2C && $0 != 0x5C }) else { return name }
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .format, .control, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default:
                if scalar == "," || scalar == "\\" { text += "\\" }
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
