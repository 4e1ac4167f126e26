import Auth
import Diagnostics

/// Where the gateway may listen: beyond loopback callers must prove who they are, and what they prove it with must not travel in clear text.
struct ListenRule {
    let identity: IdentitySettings
    let isTLS: Bool
    let publicURL: String?

    /// Why the gateway must not listen there; nil where it may.
    func refusal(of address: ListenAddress) -> Problem? {
        guard !address.isLoopback else { return nil }
        let what = "refuses to listen on \(address.host)"
        guard identity.isConfigured else {
            return Problem(
                "\(what): without identity anyone who reaches it could call every tool", at: address.position,
                fix: "listen on 127.0.0.1, or say under `identity` who may call")
        }
        guard !identity.anonymous else {
            return Problem(
                "\(what): with `anonymous: true` anyone who reaches it could call every tool", at: address.position,
                fix: "listen on 127.0.0.1, or remove `anonymous: true`")
        }
        guard isTLS || publicURL?.hasPrefix("https://") == true else {
            return Problem(
                "\(what) without `tls`: keys and tokens would travel in clear text", at: address.position,
                fix: "write `tls: { certificate: …, private_key: … }`, or `public_url: https://…` where a proxy in front ends TLS")
        }
        return nil
    }

    /// What is allowed and likely not meant.
    func warning(for address: ListenAddress) -> Problem? {
        guard address.isWildcard, publicURL == nil else { return nil }
        return Problem(
            "clients that call by a name other than localhost will be refused, since none is known", at: address.position,
            fix: "write `public_url: https://NAME:\(address.port)`")
    }
}

extension Settings {
    /// Why the gateway must not listen there; nil where it may.
    package func refusal(of address: ListenAddress) -> Problem? {
        ListenRule(identity: identity, isTLS: tls != nil, publicURL: publicURL).refusal(of: address)
    }
}
