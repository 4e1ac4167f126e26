import Auth
import Diagnostics
import JSON
import MCPProtocol
import Transport
import VirtualServers

/// Why a caller may or may not make a call; nothing goes upstream.
package struct CallExplanation: Sendable {
    /// nil where that is not known, and the note says why.
    package var decision: Decision?
    /// What is called; nil where there is no such thing, or none that is known.
    package var subject: Subject?
    /// As they would go upstream; nil where they can't, or there can be none.
    package var arguments: JSONValue?
    package var steps: [Explanation.Step] = []
    /// Whether the caller sees it in its list.
    package var isListed = false
    /// What the decision does not rest on; nil where all is known.
    package var note: String?
}

extension Gateway {
    /// Judges a call as the gateway would; nil for an unknown virtual server. `name` is a tool's, or `prompt:NAME`, or `resource:URI`.
    package func explain(_ server: String, _ caller: Caller, _ name: String, arguments: JSONValue) -> CallExplanation? {
        let snapshot = snapshot
        guard let exposure = exposure(of: server, for: caller, in: snapshot) else { return nil }
        let wanted = Wanted(inRules: name)
        switch exposure.find(wanted) {
        case .tool(let index)?: return explain(exposure, index, caller, arguments)
        case .item(let item)?: return explain(exposure, item, caller, arguments)
        case nil: break
        }
        if wanted.kind == .tools, let upstream = signInUpstream(ofTool: name, in: exposure),
            snapshot.upstreams[upstream]?.signIn(for: caller) != nil
        {
            return CallExplanation(decision: decisionOnSignIn(of: caller, to: upstream, exposure, snapshot))
        }
        if let missing = exposure.missing(wanted.kind, named: wanted.name) { return explain(exposure, missing, wanted, caller, arguments) }
        let known = wanted.kind == .tools ? exposure.tools.map(\.name) : exposure.items(of: wanted.kind).map(\.name)
        let near = suggestion(for: wanted.name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
        return CallExplanation(decision: Decision(.denied, reason: "there is no such \(wanted.kind.noun) in \(server)" + near))
    }

    private func explain(_ exposure: Exposure, _ index: Int, _ caller: Caller, _ arguments: JSONValue) -> CallExplanation {
        let tool = exposure.tools[index]
        let isListed = exposure.isListed(index, for: exposure.policy.access(of: caller))
        var sent = arguments
        if let shaping = tool.shaping {
            do {
                sent = try JSONValue(parsing: shaping.apply(to: arguments))
            } catch {
                // Rules are not asked, but a caller who may not use the tool is told of none.
                let rule = RuleReference(text: "tools: \(tool.upstream).\(tool.upstreamName)", position: tool.position)
                let reason = (error as? ProtocolError)?.message ?? "\(error)"
                let denial = exposure.policy.access(of: caller).denial(of: index)?.decision ?? Decision(.denied, reason: "no arguments are allowed")
                return CallExplanation(
                    decision: isListed ? Decision(.denied, by: rule, reason: reason) : denial, subject: tool.subject, isListed: isListed)
            }
        }
        let found = exposure.policy.explain(caller, subject: index, called: tool.name, of: exposure.definition.name, arguments: sent.bytes)
        return CallExplanation(decision: found.decision, subject: tool.subject, arguments: sent, steps: found.steps, isListed: isListed)
    }

    /// A resource takes no arguments, and may be in no list.
    private func explain(_ exposure: Exposure, _ item: ExposedItem, _ caller: Caller, _ arguments: JSONValue) -> CallExplanation {
        let sent: JSONValue? = item.kind == .prompts ? .some(arguments) : .none
        let bytes = (sent ?? [:]).bytes
        var explanation = CallExplanation(subject: item.subject, arguments: sent)
        if let index = item.index {
            let found = exposure.policy.explain(caller, subject: index, called: item.name, of: exposure.definition.name, arguments: bytes)
            (explanation.decision, explanation.steps) = (found.decision, found.steps)
            explanation.isListed = exposure.isVisible(.item(item), to: caller)
        } else {
            (explanation.decision, explanation.steps) = exposure.policy.explain(caller, unknown: item.subject, arguments: bytes)
        }
        return explanation
    }

    /// By name and rules alone.
    private func explain(
        _ exposure: Exposure, _ missing: UnknownSubject, _ wanted: Wanted, _ caller: Caller, _ arguments: JSONValue
    ) -> CallExplanation {
        let name = wanted.name
        let subject = Subject(wanted.subjectKind, name: name, upstream: missing.upstream, upstreamName: missing.upstreamName.literal ?? name)
        let (decision, steps) = exposure.policy.explain(caller, unknown: subject, arguments: arguments.bytes)
        let why = self.missing(from: exposure.definition.name, for: caller).first { $0.upstream == missing.upstream }?.reason ?? "it is away"
        let how = wanted.kind == .tools ? "the name, and the arguments as they are given" : "the name"
        var note = "the \(wanted.kind.noun)s of \(missing.upstream) are not known here: \(why); judged by \(how)"
        if decision == nil { note += "; it depends on whether the tool is @read, @write or @destructive" }
        return CallExplanation(decision: decision, steps: steps, note: note)
    }

    private func decisionOnSignIn(of caller: Caller, to upstream: String, _ exposure: Exposure, _ snapshot: Snapshot) -> Decision {
        if maySignIn(caller, to: upstream, exposure, snapshot) {
            return Decision(.allowed, reason: "it starts the user's sign-in to \(upstream), for whoever may use a tool of it")
        }
        let reason = caller.proof == .none ? "anonymous callers can't sign in" : "no rule allows the caller a tool of \(upstream)"
        return Decision(.denied, reason: reason)
    }

    /// The tools that a caller sees, by name and upstream name.
    package func toolsListed(of server: String, for caller: Caller) -> [ExposedTool] {
        guard let exposure = exposure(of: server, for: caller, in: snapshot) else { return [] }
        return exposure.view(for: exposure.policy.access(of: caller)).tools.map { exposure.tools[$0] }
    }
}

extension ArgumentShaping {
    /// The arguments to send upstream, from a tree.
    fileprivate func apply(to arguments: JSONValue) throws -> [UInt8] {
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ["name": "", "arguments": arguments]]
        let message = try Message(scanning: request.bytes, depthMax: 512)
        return try apply(to: message.params.arguments, of: message)
    }
}

extension Gateway {
    /// Who may use what, with the tools that the upstreams have now.
    package var reach: AccessReach {
        let snapshot = snapshot
        var reach = AccessReach(prohibitions: snapshot.settings.policy)
        for definition in snapshot.settings.virtualServers {
            if let exposure = snapshot.exposures[definition.name] { reach.add(exposure) }
        }
        return reach
    }
}
