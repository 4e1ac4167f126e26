import JSON

/// Where browsers find the gateway.
package struct SignInSite: Hashable, Sendable {
    /// `https://host[:port][/path]`, without a slash at its end; `http` on loopback.
    package let base: String

    /// Nil for what is no such address: a code must not come back over a network in clear text.
    package init?(base: String) {
        guard let address = HTTPAddress(base), address.isSafe, address.query == nil, !base.hasSuffix("/") else { return nil }
        self.base = base
    }

    var origin: String { HTTPAddress(base)?.origin ?? base }
    var isTLS: Bool { base.lowercased().hasPrefix("https:") }
    /// `redirect_uri`, to the letter.
    var redirect: String { base + "/oauth/callback" }
    func link(_ id: String) -> String { base + "/oauth/sign-in/" + id }

    /// The address of our client-id metadata document; nil where authorization servers could not read it.
    func clientDocument(of upstream: String) -> String? {
        isTLS && HTTPAddress(base)?.isLoopback == false ? base + "/oauth/client/\(upstream).json" : nil
    }

    /// The cookie that tells one browser from another. With `__Host-` no neighbouring host can set it.
    var cookie: String { isTLS ? "__Host-switchboard-sign-in" : "switchboard-sign-in" }

    /// Client metadata (RFC 7591 §2).
    func metadata(method: String) -> JSONValue {
        [
            "client_name": "Switchboard", "redirect_uris": [.string(redirect)], "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"], "token_endpoint_auth_method": .string(method), "application_type": isTLS ? "web" : "native",
        ]
    }
}
