/// Who makes a call. Only this target makes one, so that having one proves that the question was asked.
package struct Caller: Hashable, Sendable {
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
        /// A client certificate, by the SHA-256 of its DER form in hex.
        case certificate(fingerprint: String)
        /// Nobody asked them: `--as`, on this machine only.
        case assumed
    }

    package let proof: Proof
    /// Unique with its issuer; nil for a caller that is a program only.
    package let user: String?
    package let client: String?
    package let groups: Set<String>
    /// The scopes of the caller's token; empty for other proofs.
    package let scopes: Set<String>
    /// The verified token, only to be exchanged for another (RFC 8693); never sent upstream.
    package let token: BearerToken?

    init(
        _ proof: Proof, user: String? = nil, client: String? = nil, groups: Set<String> = [], scopes: Set<String> = [], token: BearerToken? = nil
    ) {
        self.proof = proof
        self.user = user
        self.client = client
        self.groups = groups
        self.scopes = scopes
        self.token = token
    }

    package static let anonymous = Caller(.none)

    package static func localUser(_ login: String) -> Caller { Caller(.login, user: login) }

    /// Who the caller is, whatever proof they brought this time: what sessions, sealed state and stored tokens are bound to.
    ///
    /// A renewed token or a second key of the same name has the same value; users of two issuers have not.
    package var identity: CallerIdentity {
        switch proof {
        case .token(let issuer): CallerIdentity(realm: "issuer \(issuer)", user: user, client: client)
        case .key: CallerIdentity(realm: "key", user: user, client: client)
        case .certificate: CallerIdentity(realm: "certificate", user: user, client: client)
        case .login, .assumed: CallerIdentity(realm: "local", user: user, client: client)
        case .none: CallerIdentity(realm: "anonymous", user: nil, client: nil)
        }
    }
}

/// What stays the same of a caller from one request to the next.
package struct CallerIdentity: Hashable, Sendable {
    package let realm: String
    package let user: String?
    package let client: String?
}

/// A caller's own token, and until when it is good.
package struct BearerToken: Hashable, Sendable {
    package let value: Secret
    /// Seconds since 1970.
    package let expires: Int

    package static func == (a: BearerToken, b: BearerToken) -> Bool { a.value.reveal() == b.value.reveal() }
    package func hash(into hasher: inout Hasher) { hasher.combine(value.reveal()) }
}

extension Caller: CustomStringConvertible {
    /// `anonymous`, or `user:ID` and `client:ID` joined by a comma.
    package var description: String {
        let parts = [user.map { "user:\($0)" }, client.map { "client:\($0)" }].compactMap(\.self)
        return parts.isEmpty ? "anonymous" : parts.joined(separator: ",")
    }
}
