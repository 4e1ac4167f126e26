import Diagnostics
import JSON
import MCPProtocol
import Network

extension UpstreamLink {
    /// Those lists of the upstream, to their last pages; what can't be used is left out and named in the log.
    ///
    /// Without its tools an upstream counts as down. Its other lists may fail: that is logged, and they are empty.
    func offer(
        _ kinds: Set<ListKind> = Set(ListKind.allCases), limits: UpstreamLimits, log: Log
    ) async throws(UpstreamError) -> Offer {
        var offer = Offer(capabilities: peer.capabilities, instructions: peer.instructions)
        let asked = ListKind.allCases.filter { kinds.contains($0) && peer.capabilities[$0.capability] != nil }
        guard let loop = EventLoop.current, asked.count > 1 else {
            for kind in asked { try take(await outcome(of: kind, limits: limits, log: log), of: kind, into: &offer, log) }
            return offer
        }
        // All at once: what clients see first waits for the slowest, not for their sum.
        let outcomes = Mailbox<(ListKind, Result<Offer, UpstreamError>)>(capacity: asked.count)
        for kind in asked { loop.task { outcomes.send((kind, await self.outcome(of: kind, limits: limits, log: log))) } }
        for _ in asked {
            guard let (kind, outcome) = await outcomes.next() else { break }
            try take(outcome, of: kind, into: &offer, log)
        }
        return offer
    }

    private func take(
        _ outcome: Result<Offer, UpstreamError>, of kind: ListKind, into offer: inout Offer, _ log: Log
    ) throws(UpstreamError) {
        do throws(UpstreamError) {
            offer.take([kind], from: try outcome.get())
        } catch {
            switch error {
            case .violation where kind != .tools, .timedOut where kind != .tools: log.warning("its \(kind.noun)s can't be read: \(error)")
            default: throw error
            }
        }
    }

    /// One list, in an offer that has nothing else.
    private func outcome(of kind: ListKind, limits: UpstreamLimits, log: Log) async -> Result<Offer, UpstreamError> {
        var offer = Offer(capabilities: peer.capabilities, instructions: peer.instructions)
        do throws(UpstreamError) {
            try await read(kind, into: &offer, limits: limits, log: log)
            return .success(offer)
        } catch {
            return .failure(error)
        }
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
