import JSON
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    /// How long clients may keep a list when nothing is missing from it, in milliseconds; changes are announced besides.
    private static let listTTL = 60_000
    /// The same while an upstream is still missing.
    private static let partialListTTL = 1_000

    /// A page of one of the virtual server's lists, as the caller sees it.
    func list(_ kind: ListKind, for call: Call) async throws(ProtocolError) -> Reply {
        if let defect = call.message.params.defect { throw ProtocolError(.invalidParams, "Invalid params: \(defect)") }
        let (snapshot, exposure) = try await exposure(for: call)
        guard exposure.serves(kind) else { throw methodNotFound(call) }
        let hint = exposure.hint(for: kind)
        if let hint, hint.ttl < .max {
            for name in exposure.definition.upstreams { snapshot.upstreams[name]?.lister(for: call.caller)?.refreshIfStale() }
        }
        let page = try pageNumber(call.message.text(call.message.params.cursor))
        let pages = exposure.view(for: exposure.policy.access(of: call.caller)).list(of: kind).pages(for: call.era)
        guard page < pages.count else { throw ProtocolError(.invalidParams, "Invalid params: `cursor` is none of ours") }
        var members: [UInt8] = []
        members.reserveCapacity(pages[page].count + 200)
        members.append(UInt8(ascii: "\""))
        members.append(kind.member)
        members.append("\":[")
        members.append(contentsOf: pages[page])
        if kind == .tools, page + 1 == pages.count { appendSignInTools(for: call, exposure, in: snapshot, to: &members) }
        members.append("]")
        if page + 1 < pages.count {
            members.append(",\"nextCursor\":")
            members.append(jsonString: Base64.encodeURL(Array("page \(page + 1)".utf8)))
        }
        if call.era == .modern {
            let ttl = exposure.missingUpstreams.isEmpty ? Self.listTTL : Self.partialListTTL
            let own = CacheHint(ttl: ttl, isPrivate: snapshot.isPersonal(exposure))
            members.append(UInt8(ascii: ","))
            members.append(contentsOf: (hint?.merged(with: own) ?? own).members)
        }
        return Reply(result: members, id: call.id, era: call.era, from: exposure.serverInfo)
    }

    private func pageNumber(_ cursor: String?) throws(ProtocolError) -> Int {
        guard let cursor else { return 0 }
        let text = Base64.decodeURL(cursor).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard text.hasPrefix("page "), let page = Int(text.dropFirst(5)), page > 0 else {
            throw ProtocolError(.invalidParams, "Invalid params: `cursor` is none of ours")
        }
        return page
    }
}

extension Snapshot {
    /// Whether what a virtual server answers may be for nobody but the caller: what one may see is not for another's eyes, nor what an upstream
    /// shows to one (MCP 2026-07-28 server/utilities/caching).
    func isPersonal(_ exposure: Exposure) -> Bool {
        exposure.policy.dependsOnCaller || personal[exposure.definition.name] != nil || settings.identity.isConfigured
    }
}
