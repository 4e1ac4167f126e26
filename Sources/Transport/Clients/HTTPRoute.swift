/// The addresses that the gateway answers on.
enum HTTPRoute: Hashable {
    case health, readiness
    case mcp(String?)
    case sse(String?)
    case messages(String?)
    /// RFC 9728 metadata of what lies at that path; nothing for the whole gateway.
    case metadata(String)
    /// A page for a person who signs in to an upstream, by what follows `/oauth/`.
    case signIn(String)

    private static let signInPlaces = ["/oauth/callback", "/oauth/sign-in/", "/oauth/client/"]
    private static let metadataPrefix = "/.well-known/oauth-protected-resource"

    init?(_ path: String) {
        if path.utf8.starts(with: Self.metadataPrefix.utf8) {
            let rest = String(path.dropFirst(Self.metadataPrefix.count))
            guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
            self = .metadata(rest == "/" ? "" : rest)
            return
        }
        for place in Self.signInPlaces where path.hasPrefix(place) {
            self = .signIn(String(path.dropFirst("/oauth/".utf8.count)))
            return
        }
        let path = path.utf8
        guard path.first == UInt8(ascii: "/") else { return nil }
        let first = path.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        let rest = path[first.endIndex...]
        let name = rest.isEmpty ? nil : String(Substring(first))
        switch String(Substring(rest.isEmpty ? first : rest.dropFirst())) {
        case "mcp" where name != "": self = .mcp(name)
        case "sse" where name != "": self = .sse(name)
        case "messages" where name != "": self = .messages(name)
        case "healthz" where name == nil: self = .health
        case "readyz" where name == nil: self = .readiness
        default: return nil
        }
    }

    var transport: ClientTransport {
        switch self {
        case .sse, .messages: .sse
        case .mcp, .health, .readiness, .metadata, .signIn: .http
        }
    }

    /// The path that a client was given to get here, which is what its tokens are for; nil for what is no virtual server.
    var resourcePath: String? {
        switch self {
        case .mcp(let name): (name.map { "/\($0)" } ?? "") + "/mcp"
        case .sse(let name), .messages(let name): (name.map { "/\($0)" } ?? "") + "/sse"
        case .health, .readiness, .metadata, .signIn: nil
        }
    }

    /// Where the metadata of a path is found.
    static func metadataPath(of path: String) -> String { metadataPrefix + path }
}
