import Diagnostics
import JSON

/// Who the gateway became at an authorization server by registering there (RFC 7591 §3.2.1).
struct RegisteredClient: Hashable, Sendable {
    let id: String
    let secret: IssuedSecret?
    /// Seconds since 1970; nil for never.
    let secretExpires: Int?

    /// From the server's answer or from our store, which keeps the same members.
    init?(parsing bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes, depthMax: 16), let id = json["client_id"]?.string, (1...2_048).contains(id.utf8.count),
            id.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        self.id = id
        let method = json["token_endpoint_auth_method"]?.string
        secret = method == "none" ? nil : json["client_secret"]?.string.map { IssuedSecret($0, isBasic: method != "client_secret_post") }
        secretExpires = json["client_secret_expires_at"]?.integer.flatMap { $0 == 0 ? nil : $0 }
    }

    var bytes: [UInt8] {
        var json: JSONValue = ["client_id": .string(id)]
        if let secret {
            json["client_secret"] = .string(secret.value.reveal())
            json["token_endpoint_auth_method"] = secret.isBasic ? "client_secret_basic" : "client_secret_post"
        }
        json["client_secret_expires_at"] = secretExpires.map { .number(String($0)) }
        return json.bytes
    }

    func isUsable(at now: Int) -> Bool { secretExpires.map { $0 - now > 60 } ?? true }

    func definition(tokenURL: String) -> OAuthClientDefinition {
        OAuthClientDefinition(tokenURL: tokenURL, clientID: SecretReference(literal: id), authentication: secret.map { .issued($0) } ?? .none)
    }
}

extension SecretReference {
    /// A text that is no secret, from elsewhere than a file.
    init(literal text: String) { self.init(parts: [.text(text)], position: SourcePosition(file: "", line: 0, column: 0)) }
}
