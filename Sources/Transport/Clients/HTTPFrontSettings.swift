import Network

/// What the HTTP door needs to know of the configuration.
package struct HTTPFrontSettings: Sendable {
    /// Host names, in lower case and without port, by which clients may call us; loopback names always may.
    package var hosts: Set<String>
    /// Origins whose pages may call us; loopback origins always may.
    package var origins: Set<String>
    /// How clients reach us, without a slash at its end; nil where they call the listeners themselves.
    package var publicURL: String?
    /// Whether clients may call us by any address: so where we listen on all of them. A page can't make an address lead elsewhere.
    package var servesAddresses = false
    package var heartbeat = Duration.seconds(15)
    /// How long a session's id is good.
    package var sessionTime = Duration.seconds(7 * 86_400)
    package var jsonDepthMax = 128
    /// What may wait for a slow reader of HTTP+SSE.
    package var queuedBytesMax = 1 << 20

    package init(hosts: Set<String>, origins: Set<String>) {
        self.hosts = hosts
        self.origins = origins
    }

    /// Why a request is refused before anything else is looked at: a page of another site must not reach a local server by making
    /// its name resolve to us (DNS rebinding; MCP 2026-07-28 basic/transports/streamable-http, "Security & Endpoint").
    func refusal(of request: HTTPRequest) -> String? {
        if let refusal = refusal(ofHost: request) { return refusal }
        guard let origin = request.headers["origin"] else { return nil }
        guard request.headers.count(of: "origin") == 1, Self.isLoopbackOrigin(origin) || origins.contains(origin.lowercased()) else {
            return "the Origin is not among allowed_origins"
        }
        return nil
    }

    /// The same for `Host` alone: for what any page may read.
    func refusal(ofHost request: HTTPRequest) -> String? {
        if isPlainLoopback(request.headers.bytes(of: "host")) { return nil }
        guard let name = Self.hostName(request.headers["host"] ?? ""), Self.isLoopback(name) || hosts.contains(name) || isServedAddress(name) else {
            return "the Host header names a host that this gateway does not serve"
        }
        return nil
    }

    private func isServedAddress(_ name: String) -> Bool {
        guard servesAddresses, let address = SocketAddress(literal: name, port: 0) else { return false }
        // Browsers take `0.0.0.0` for this machine, whatever page asks.
        return !address.octets.allSatisfy { $0 == 0 }
    }

    /// How the client reaches us, without a slash at its end: `public_url`, else by the `Host` that was checked.
    func base(of request: HTTPRequest) -> String {
        publicURL ?? (request.isTLS ? "https://" : "http://") + (request.headers["host"] ?? "").lowercased()
    }

    /// A path as we know it, where a client put the path of `public_url` before it.
    func withoutPublicPath(_ path: String) -> String {
        guard let publicURL, let slashes = publicURL.firstRange(of: "://"), let slash = publicURL[slashes.upperBound...].firstIndex(of: "/") else {
            return path
        }
        let prefix = publicURL[slash...]
        let rest = path.dropFirst(prefix.count)
        return path.hasPrefix(prefix) && (rest.isEmpty || rest.hasPrefix("/")) ? String(rest) : path
    }

    /// The two spellings that nearly every local client uses, told without making a String.
    private func isPlainLoopback(_ host: ArraySlice<UInt8>?) -> Bool {
        guard let host else { return false }
        let name = host.prefix { $0 != UInt8(ascii: ":") }
        let port = host[name.endIndex...].dropFirst()
        return (name.elementsEqual("127.0.0.1".utf8) || name.elementsEqual("localhost".utf8)) && port.count <= 5
            && port.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    }

    /// What lets a permitted page read our answers (the Fetch standard, "CORS protocol").
    func corsFields(for request: HTTPRequest) -> [(String, String)] {
        guard let origin = request.headers["origin"] else { return [] }
        var fields = [
            ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"), ("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate"),
        ]
        if request.method == .options {
            fields.append(("Access-Control-Allow-Methods", "GET, POST, DELETE"))
            let asked = request.headers["access-control-request-headers"] ?? "content-type"
            fields.append(("Access-Control-Allow-Headers", asked))
            fields.append(("Access-Control-Max-Age", "600"))
        }
        return fields
    }

    /// A Host value's name, without port and brackets, in lower case; nil for what is none.
    static func hostName(_ host: String) -> String? {
        let host = host.lowercased()
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: end)...]
            return rest.isEmpty || isPort(rest) ? String(host[host.index(after: host.startIndex)..<end]) : nil
        }
        guard let colon = host.firstIndex(of: ":") else { return host.isEmpty ? nil : host }
        return isPort(host[colon...]) && colon != host.startIndex ? String(host[..<colon]) : nil
    }

    static func isLoopback(_ name: String) -> Bool { name == "localhost" || name == "::1" || isLoopbackIPv4(name) }

    /// `127.0.0.0/8` as four numbers; `127.evil.example` is a name.
    private static func isLoopbackIPv4(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { !$0.hasPrefix("+") && UInt8($0) != nil }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) } && text.utf8.count <= 6
    }

    static func isLoopbackOrigin(_ origin: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return hostName(String(origin.dropFirst(scheme.count))).map(isLoopback) ?? false
        }
        return false
    }
}
