import JSON

/// The answer of a token endpoint, strictly read (RFC 6749 §5.1).
package struct TokenResponse: Sendable {
    /// What a token is taken to be good for where the server does not say.
    package static let lifeStandard = Duration.seconds(60)
    package static let lifeMax = Duration.seconds(24 * 3_600)
    private static let tokenBytesMax = 16 * 1024

    package let accessToken: Secret
    package let life: Duration
    /// Whether the server said so itself.
    package let isLifeStated: Bool
    package let refreshToken: Secret?
    /// As granted; nil where they are as asked for.
    package let scopes: [String]?

    /// Throws what is wrong with it, without a value.
    package init(parsing body: [UInt8]) throws(TokenFailure) {
        guard let json = try? JSONValue(parsing: body, depthMax: 16), json.members != nil else {
            throw TokenFailure("its answer is no JSON object")
        }
        guard let type = json["token_type"]?.string else { throw TokenFailure("its answer has no `token_type`") }
        // A token that must be used in another way is worth nothing to a thief, and to us (RFC 9449, RFC 8705).
        guard type.lowercased() == "bearer" else { throw TokenFailure("its token is of the type \(type.prefix(40)), and not Bearer") }
        guard let token = json["access_token"]?.string, Self.isFit(token) else {
            throw TokenFailure("its answer has no `access_token` that could stand in a header")
        }
        accessToken = Secret(token)
        switch json["expires_in"] {
        case nil, .null?:
            life = Self.lifeStandard
            isLifeStated = false
        case let value?:
            guard let seconds = value.integer ?? value.double.flatMap({ Int(exactly: $0.rounded(.down)) }), seconds > 0 else {
                throw TokenFailure("its `expires_in` is no positive number")
            }
            life = min(.seconds(min(seconds, 1 << 31)), Self.lifeMax)
            isLifeStated = true
        }
        switch json["refresh_token"] {
        case nil, .null?: refreshToken = nil
        case let value?:
            guard let token = value.string, Self.isFit(token) else { throw TokenFailure("its `refresh_token` is none") }
            refreshToken = Secret(token)
        }
        scopes = json["scope"]?.string.map { $0.split(separator: " ").map(String.init) }
        if let issued = json["issued_token_type"]?.string, !Self.usableTypes.contains(issued) {
            throw TokenFailure("its token is of the type \(issued.prefix(80)), and no access token")
        }
    }

    private static let usableTypes: Set = ["urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:jwt"]

    private static func isFit(_ token: String) -> Bool {
        (1...tokenBytesMax).contains(token.utf8.count) && token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// Why a token endpoint gave no token; fit for the log.
package struct TokenFailure: Error, Sendable, CustomStringConvertible {
    package let description: String
    /// The `error` of RFC 6749 §5.2, where there is one.
    package let code: String?

    package init(_ description: String, code: String? = nil) {
        self.description = description
        self.code = code
    }

    /// From an error response; `redaction` masks what the server may repeat of the request.
    init(status: Int, body: [UInt8], redaction: Redaction) {
        let json = (try? JSONValue(parsing: Array(body.prefix(8_192)), depthMax: 16)) ?? .null
        code = json["error"]?.string.map { String($0.prefix(80)) }
        var text = "it answers HTTP \(status)"
        if let code { text += ", \(redaction.excerpt(code))" }
        if let more = json["error_description"]?.string { text += ": \(redaction.excerpt(more))" }
        description = text
    }
}
