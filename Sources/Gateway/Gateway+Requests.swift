import JSON
import MCPProtocol
import Transport
import VirtualServers

/// What a client's call becomes on its way to the upstream.
extension Gateway {
    /// Header and body must agree (MCP 2026-07-28 basic/transports/streamable-http, "Server Behavior for Custom Headers").
    func checkMirroredArguments(of call: Call, against tool: ExposedTool) throws(ProtocolError) {
        guard let headers = call.headers, !tool.headerParameters.isEmpty else { return }
        let arguments = try tree(of: call.message.params.arguments.map { call.message.bytes[$0.range] } ?? ArraySlice("{}".utf8))
        for parameter in tool.headerParameters {
            let key = parameter.field.lowercased()
            guard headers.count(named: key) <= 1 else {
                throw ProtocolError(.headerMismatch, "Header mismatch: \(parameter.field) stands there twice")
            }
            guard parameter.matches(headers[named: key], in: arguments) else {
                let argument = parameter.path.joined(separator: ".")
                throw ProtocolError(.headerMismatch, "Header mismatch: \(parameter.field) does not say what `\(argument)` says")
            }
        }
    }

    /// The request, and where the arguments lie in its members.
    func request(
        for tool: ExposedTool, from call: Call, after round: Round?
    ) throws(ProtocolError) -> (UpstreamRequest, arguments: Range<Int>?) {
        let message = call.message
        var members: [UInt8] = []
        members.reserveCapacity((message.params.range?.count ?? 0) + 200)
        members.append("\"name\":")
        members.append(jsonString: tool.upstreamName)
        let start = members.count
        if let shaping = tool.shaping {
            members.append(",\"arguments\":")
            members.append(contentsOf: try shaping.apply(to: message.params.arguments, of: message))
        } else if let arguments = try arguments(of: message) {
            members.append(",\"arguments\":")
            members.append(contentsOf: message.bytes[arguments])
        }
        let arguments = members.count > start ? start + 13..<members.count : nil
        var request = request(members, named: tool.upstreamName, from: call, after: round)
        request.task = try taskWish(of: call, for: tool)
        if !tool.upstreamHeaderParameters.isEmpty {
            let arguments = try tree(of: arguments.map { members[$0] } ?? ArraySlice("{}".utf8))
            request.mirroredParameters = tool.upstreamHeaderParameters.compactMap { parameter in
                parameter.value(in: arguments).map { (parameter.field, $0) }
            }
        }
        return (request, arguments)
    }

    /// Where the arguments lie, an object; nil where there are none, which some clients spell as `null`.
    func arguments(of message: Message) throws(ProtocolError) -> Range<Int>? {
        guard let arguments = message.params.arguments, arguments.kind != .null else { return nil }
        guard arguments.kind == .object else { throw ProtocolError(.invalidParams, "Invalid params: `arguments` must be an object") }
        return arguments.range
    }

    /// The request of those members, with all that passes through in every call.
    func request(_ members: [UInt8], named name: String, from call: Call, after round: Round?) -> UpstreamRequest {
        let message = call.message
        var request = UpstreamRequest(message.methodText, members: members)
        request.origin = call.origin
        request.meta = Array((message.params.meta?.others ?? []).map { message.bytes[$0] }.joined(separator: [UInt8(ascii: ",")]))
        request.wantsProgress = message.params.meta?.progressToken != nil
        request.logLevel = call.logLevel
        if call.era == .modern { request.clientCapabilities = call.clientCapabilities }
        // Nothing may be asked, or be named in a header, in a completion (MCP 2026-07-28 basic/patterns/mrtr, "Supported Requests").
        guard message.method?.isNamed == true else { return request }
        request.members.append(contentsOf: answers(in: message, after: round, by: call.era))
        for other in message.params.others {
            request.members.append(UInt8(ascii: ","))
            request.members.append(contentsOf: message.bytes[other])
        }
        let abilities = call.abilities
        request.canAsk = !abilities.isEmpty
        if call.era == .legacy, request.canAsk { request.clientCapabilities = abilities.capabilities.bytes }
        request.mirroredName = name
        return request
    }

    private func tree(of arguments: ArraySlice<UInt8>) throws(ProtocolError) -> JSONValue {
        do {
            return try JSONValue(parsing: Array(arguments), depthMax: .max)
        } catch {
            throw ProtocolError(.invalidParams, "Invalid params: `arguments` has \(error)")
        }
    }

    /// What a modern client's retry brings back for the upstream itself, each member with a comma before it.
    private func answers(in message: Message, after round: Round?, by era: Era) -> [UInt8] {
        var state: String?
        switch round?.wait {
        case .upstream(let known): state = known
        // Its answers were meant for us, or have been passed on already.
        case .signIn, .parked, .links: return []
        case nil: guard era == .modern else { return [] }
        }
        var members: [UInt8] = []
        if let responses = message.params.inputResponses {
            members.append(",\"inputResponses\":")
            members.append(contentsOf: message.bytes[responses.range])
        }
        if let state {
            members.append(",\"requestState\":")
            members.append(jsonString: state)
        }
        return members
    }
}
