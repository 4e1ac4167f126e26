import Auth
import JSON
import MCPProtocol
import Transport
import VirtualServers

/// What is particular to prompts and resources on the way of a call.
extension Gateway {
    /// The request's members but for what passes through in every call, and where the arguments lie in them.
    func members(for item: ExposedItem, from call: Call) throws(ProtocolError) -> (members: [UInt8], arguments: Range<Int>?) {
        let message = call.message
        var members: [UInt8] = []
        if message.method == .complete {
            var params = try message.paramsTree()
            for member in ["_meta", "inputResponses", "requestState"] { params[member] = nil }
            if item.kind == .prompts { params["ref"]?["name"] = .string(item.upstreamName) }
            return (Array(params.bytes.dropFirst().dropLast()), nil)
        }
        members.append(item.kind == .prompts ? "\"name\":" : "\"uri\":")
        members.append(jsonString: item.upstreamName)
        guard item.kind == .prompts, let arguments = try arguments(of: message) else { return (members, nil) }
        guard (try? JSONValue(parsing: arguments, of: message.bytes))?.members?.allSatisfy({ $0.value.string != nil }) == true else {
            throw ProtocolError(.invalidParams, "Invalid params: `arguments` of a prompt must be strings, each named once")
        }
        members.append(",\"arguments\":")
        let start = members.count
        members.append(contentsOf: message.bytes[arguments])
        return (members, start..<members.count)
    }

    /// Completes an argument of a prompt or of a resource template.
    func complete(_ call: Call, to channel: any ClientChannel) async throws -> Reply? {
        guard snapshot.exposures[call.server]?.mayComplete == true else { throw methodNotFound(call) }
        return try await use(call, to: channel, noting: nil)
    }

    /// The answer to a completion where there is nothing to choose from: not from this upstream, or not for this caller yet.
    func emptyCompletion(_ call: Call) -> Reply {
        let members = Array("\"completion\":{\"values\":[],\"total\":0,\"hasMore\":false}".utf8)
        return Reply(result: members, id: call.id, era: call.era, from: snapshot.exposures[call.server]?.serverInfo ?? Product.info)
    }

    /// The response as the client gets it. That a resource is not there is told as for one that may not be read.
    func reply(with response: Message, to call: Call, for exposed: Exposed, in exposure: Exposure) throws(ProtocolError) -> Reply {
        if call.message.method == .complete, let result = response.shortenedCompletion {
            return Reply(result: result, id: call.id, era: call.era, from: exposure.serverInfo)
        }
        guard call.message.method == .readResource, case .item(let item) = exposed else {
            return Reply(response, id: call.id, era: call.era, from: exposure.serverInfo)
        }
        let isUnknown = response.errorCode.map { [.invalidParams, ErrorCode(rawValue: 0)].contains($0) } ?? false
        if response.errorCode == .resourceNotFound || item.index == nil && isUnknown {
            throw Wanted.notFound(item.name, in: call.era)
        }
        return Reply(response, id: call.id, era: call.era, from: exposure.serverInfo, hint: hint(for: response, to: call, item, in: exposure))
    }

    /// What a modern client is told of caching, where the response does not say just that (MCP 2026-07-28 server/utilities/caching).
    private func hint(for response: Message, to call: Call, _ item: ExposedItem, in exposure: Exposure) -> CacheHint? {
        guard call.era == .modern, let result = response.result, !result.isInputRequired(in: response) else { return nil }
        let snapshot = snapshot
        let isPersonal = snapshot.isPersonal(exposure) || snapshot.upstreams[item.upstream]?.dependsOnCaller != false
        // What was answered to questions is for that one round only.
        let isRetry = call.message.params.inputResponses != nil || call.message.params.requestState != nil
        let own = CacheHint(ttl: isRetry ? 0 : .max, isPrivate: isPersonal || isRetry)
        let hint = (response.cacheHint ?? CacheHint(ttl: 0, isPrivate: true)).merged(with: own)
        return response.says(hint) ? nil : hint
    }
}

extension Message {
    /// In one completion at most (MCP 2026-07-28 server/utilities/completion, "Completion Results").
    private static let completionValuesMax = 100

    /// The result of a completion with the first values only, and word that there are more; nil where it has no more than may be.
    fileprivate var shortenedCompletion: JSONValue? {
        guard let completion = result?.completion.map(value), let values = completion["values"]?.array, values.count > Self.completionValuesMax,
            var result = resultTree
        else { return nil }
        result["completion"]?["values"] = .array(Array(values.prefix(Self.completionValuesMax)))
        result["completion"]?["hasMore"] = true
        return result
    }
}
