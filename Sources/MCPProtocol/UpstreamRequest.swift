import JSON

/// A request on its way to an upstream, in the inner form: self-contained, whatever era either end speaks.
package struct UpstreamRequest: Sendable {
    package var method: String
    /// The members of `params` but `_meta`, rendered and joined by commas; empty for none.
    package var members: [UInt8]
    /// Members of `_meta` that pass through, rendered and joined by commas; none that the protocol reserves for a request.
    package var meta: [UInt8] = []
    /// Whether progress notifications shall come back; the token is the request's own id.
    package var wantsProgress = false
    /// The least severe log message that shall come back.
    package var logLevel: LogLevel?
    /// The capabilities of the client at the other end, a JSON object.
    package var clientCapabilities: [UInt8] = Array("{}".utf8)
    /// Whether that client can be asked something; needs an `origin`.
    package var canAsk = false
    /// Whose request it is; nil for the gateway's own, for which no client waits.
    package var origin: Origin?
    /// What a legacy upstream gets as `task`, an object: the answer shall be a task. A modern one decides for itself, by the capabilities.
    package var task: [UInt8]?
    /// Whether the upstream may be silent for as long as a call may take at most, for it is to answer when a task has ended.
    package var waitsForTask = false
    /// What the `Mcp-Name` header mirrors.
    package var mirroredName: String?
    /// `Mcp-Param-*` headers with their encoded values.
    package var mirroredParameters: [(name: String, value: String)] = []

    /// Tells requests of one caller from others', and within those, requests of clients whose questions are answered in the same place.
    package struct Origin: Hashable, Sendable {
        /// Unlike for unlike callers, byte for byte.
        package let caller: [UInt8]
        /// nil where the client has none.
        package let session: String?

        package init(caller: [UInt8], session: String?) {
            self.caller = caller
            self.session = session
        }
    }

    package init(_ method: String, members: [UInt8] = []) {
        self.method = method
        self.members = members
    }

    /// The JSON-RPC request for a peer of that era.
    package func bytes(id: Int, era: Era) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(members.count + meta.count + clientCapabilities.count + 400)
        out.append("{\"jsonrpc\":\"2.0\",\"id\":")
        out.append(contentsOf: String(id).utf8)
        out.append(",\"method\":")
        out.append(jsonString: method)
        out.append(",\"params\":{")
        out.append(contentsOf: members)
        let isModern = era == .modern
        if let task, !isModern {
            if !members.isEmpty { out.append(UInt8(ascii: ",")) }
            out.append("\"task\":")
            out.append(contentsOf: task)
        }
        if isModern || wantsProgress || !meta.isEmpty {
            if out.last != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
            out.append("\"_meta\":{")
            out.append(contentsOf: meta)
            if wantsProgress {
                if out.last != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
                out.append("\"progressToken\":")
                out.append(contentsOf: String(id).utf8)
            }
            if isModern { appendEnvelope(to: &out) }
            out.append(UInt8(ascii: "}"))
        }
        out.append("}}")
        return out
    }

    /// What a modern request must carry (MCP 2026-07-28 basic/index, "Per-request protocol fields").
    private func appendEnvelope(to out: inout [UInt8]) {
        if out.last != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
        out.append("\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientInfo\":")
        out.append(contentsOf: Product.infoJSON)
        out.append(",\"io.modelcontextprotocol/clientCapabilities\":")
        out.append(contentsOf: clientCapabilities)
        if let logLevel {
            out.append(",\"io.modelcontextprotocol/logLevel\":")
            out.append(jsonString: logLevel.rawValue)
        }
    }
}
