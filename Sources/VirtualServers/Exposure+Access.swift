import Auth
import MCPProtocol

/// Decisions on what is exposed; one for list and use.
extension Exposure {
    /// All that is listed, in the order of the policy.
    package var subjects: [Subject] { tools.map(\.subject) + ListKind.allCases.flatMap { items(of: $0) }.map(\.subject) }

    /// The name of the upstream that a use goes to.
    package func upstream(of exposed: Exposed) -> String {
        switch exposed {
        case .tool(let index): tools[index].upstream
        case .item(let item): item.upstream
        }
    }

    /// What the upstream calls it.
    package func upstreamName(of exposed: Exposed) -> String {
        switch exposed {
        case .tool(let index): tools[index].upstreamName
        case .item(let item): item.upstreamName
        }
    }

    /// Where the caller may not use it whatever the arguments.
    package func denial(of exposed: Exposed, for caller: Caller) -> Denial? {
        switch exposed {
        case .tool(let index): return policy.access(of: caller).denial(of: index)
        case .item(let item):
            if let index = item.index { return policy.access(of: caller).denial(of: index) }
            do throws(Denial) {
                _ = try policy.permit(caller, toUse: item.subject, of: definition.name)
                return nil
            } catch {
                return error
            }
        }
    }

    /// Whether the caller sees it, or would if it were listed.
    package func isVisible(_ exposed: Exposed, to caller: Caller) -> Bool {
        switch exposed {
        case .tool(let index): isListed(index, for: policy.access(of: caller))
        case .item(let item): item.index == nil ? denial(of: exposed, for: caller) == nil : item.isListed(for: policy.access(of: caller))
        }
    }

    /// Whether the caller may read that resource of that upstream; it may be a part of a listed one, and in no list itself.
    package func mayRead(_ uri: String, of upstream: String, as caller: Caller) -> Bool {
        if let exposed = find(.resources, uri) { return self.upstream(of: exposed) == upstream && denial(of: exposed, for: caller) == nil }
        guard let selection = definition.resources.first(where: { $0.upstream == upstream && $0.takes(uri, .resources) }) else { return false }
        return denial(of: .item(ExposedItem(unlisted: uri, of: selection)), for: caller) == nil
    }

    /// The permit to complete an argument of it: for whoever sees it.
    package func permit(_ caller: Caller, toComplete item: ExposedItem) throws(Denial) -> Permit {
        guard let index = item.index else { return try policy.permit(caller, toUse: item.subject, of: definition.name) }
        return try policy.access(of: caller).permit(
            caller, toSee: index, in: ArgumentSpace(schema: item.subject.schema ?? [:]), called: item.name, of: definition.name)
    }

    /// Decides on one use. `arguments` are those that would go upstream: where they lie in bytes that were validated.
    package func permit(
        _ caller: Caller, toUse exposed: Exposed, arguments: (bytes: [UInt8], range: Range<Int>)?
    ) throws(Denial) -> Permit {
        switch exposed {
        case .tool(let index):
            return try policy.access(of: caller).permit(
                caller, toUse: index, called: tools[index].name, of: definition.name, arguments: arguments)
        case .item(let item):
            guard let index = item.index else { return try policy.permit(caller, toUse: item.subject, of: definition.name) }
            return try policy.access(of: caller).permit(caller, toUse: index, called: item.name, of: definition.name, arguments: arguments)
        }
    }
}
