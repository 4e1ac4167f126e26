import Diagnostics
import JSON
import MCPProtocol

extension UpstreamLink {
    /// Those lists of the upstream, to their last pages; what can't be used is left out and named in the log.
    ///
    /// Without its tools an upstream counts as down. Its other lists may fail: that is logged, and they are empty.
    func offer(
        _ kinds: Set<ListKind> = Set(ListKind.allCases), limits: UpstreamLimits, log: Log
    ) async throws(UpstreamError) -> Offer {
        var offer = Offer(capabilities: peer.capabilities, instructions: peer.instructions)
        for kind in ListKind.allCases where kinds.contains(kind) && peer.capabilities[kind.capability] != nil {
            do throws(UpstreamError) {
                try await read(kind, into: &offer, limits: limits, log: log)
            } catch {
                switch error {
                case .violation where kind != .tools: log.warning("its \(kind.noun)s can't be read: \(error)")
                case .timedOut where kind != .tools:
                    log.warning("its \(kind.noun)s can't be read: \(error)")
                    return offer
                default: throw error
                }
            }
        }
        return offer
    }

    private func read(_ kind: ListKind, into offer: inout Offer, limits: UpstreamLimits, log: Log) async throws(UpstreamError) {
        let parse = { (bytes: [UInt8]) throws(Unusable) in try ItemDefinition(parsing: bytes, of: kind) }
        var hint: CacheHint?
        switch kind {
        case .tools:
            let takesTasks = peer.takesTasks
            let tool = { (bytes: [UInt8]) throws(Unusable) in
                let parsed = try ToolDefinition(parsing: bytes)
                return takesTasks ? parsed : parsed.withoutTasks
            }
            (offer.tools, hint) = try await elements(of: kind, limits: limits, log: log, parse: tool)
        case .prompts: (offer.prompts, hint) = try await elements(of: kind, limits: limits, log: log, parse: parse)
        case .resources: (offer.resources, hint) = try await elements(of: kind, limits: limits, log: log, parse: parse)
        case .templates: (offer.templates, hint) = try await elements(of: kind, limits: limits, log: log, parse: parse)
        }
        offer.hints[kind] = hint
    }

    /// All pages of one list; of elements with one name the first counts.
    private func elements<Element: ListElement>(
        of kind: ListKind, limits: UpstreamLimits, log: Log, parse: ([UInt8]) throws(Unusable) -> Element
    ) async throws(UpstreamError) -> ([Element], CacheHint?) {
        let time = kind == .tools ? limits.openingTime : limits.openingTime / 2
        var elements: [Element] = []
        var names: Set<String> = []
        var hint: CacheHint?
        var cursor: String?
        for _ in 0..<limits.listPagesMax {
            var request = UpstreamRequest(kind.method.rawValue)
            if let cursor {
                request.members.append("\"cursor\":")
                request.members.append(jsonString: cursor)
            }
            let answer = try await exchange(
                request, within: CallLimit(idle: time, total: time), cancellation: Cancellation(), onNotification: { _ in })
            // Many servers have resources and no templates.
            if kind != .tools, answer.errorCode == .methodNotFound { return ([], nil) }
            guard let result = ListPage(answer, of: kind.member) else {
                throw .violation("it answered `\(kind.method.rawValue)` with: \(excerpt(answer.bytes))")
            }
            if let next = answer.cacheHint { hint = hint?.merged(with: next) ?? next }
            for bytes in result.elements {
                do throws(Unusable) {
                    let element = try parse(bytes)
                    guard names.insert(element.name).inserted else { continue }
                    elements.append(element)
                } catch {
                    log.warning("lists \(error.reason); it is left out")
                }
            }
            guard let next = result.nextCursor else { return (elements, hint) }
            guard next != cursor, elements.count < limits.listLengthMax else { break }
            cursor = next
        }
        log.warning("its \(kind.noun) list has no end; the first \(elements.count) \(kind.noun)s are used")
        return (elements, hint)
    }
}
