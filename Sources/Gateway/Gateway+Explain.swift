import Auth
import Diagnostics
import JSON
import MCPProtocol
import Transport
import VirtualServers

/// Why a caller may or may not make a call; nothing goes upstream.
package struct CallExplanation: Sendable {
    package var decision: Decision
    /// nil where there is no such tool.
    package var tool: ExposedTool?
    /// As they would go upstream; nil where they can't.
    package var arguments: JSONValue?
    package var steps: [Explanation.Step] = []
    /// Whether the caller sees the tool in its list.
    package var isListed = false
}

extension Gateway {
    /// Judges a call as `tools/call` would; nil for an unknown virtual server.
    package func explain(_ server: String, _ caller: Caller, _ name: String, arguments: JSONValue) -> CallExplanation? {
        guard let exposure = exposure(of: server, for: caller, in: snapshot) else { return nil }
        guard let index = exposure.index(of: name) else {
            if let missing = exposure.missingUpstream(thatMayExpose: .tools, name) {
                let reason = "there is no such tool in \(server) now; \(missing), which may have it, is not available"
                return CallExplanation(decision: Decision(.denied, reason: reason))
            }
            let near = suggestion(for: name, among: exposure.tools.map(\.name)).map { "; did you mean \"\($0)\"?" } ?? ""
            return CallExplanation(decision: Decision(.denied, reason: "there is no such tool in \(server)" + near))
        }
        let tool = exposure.tools[index]
        let access = exposure.policy.access(of: caller)
        var sent = arguments
        var problem: String?
        if let shaping = tool.shaping {
            do {
                sent = try JSONValue(parsing: shaping.apply(to: arguments))
            } catch let error as ProtocolError {
                problem = error.message
            } catch {
                problem = "\(error)"
            }
        }
        let found = exposure.policy.explain(caller, subject: index, called: name, of: server, arguments: sent.bytes)
        let refused = problem.map {
            Decision(.denied, by: RuleReference(text: "tools: \(tool.upstream).\(tool.upstreamName)", position: tool.position), reason: $0)
        }
        let decision = found.decision.isAllowed ? refused ?? found.decision : found.decision
        return CallExplanation(
            decision: decision, tool: tool, arguments: problem == nil ? sent : nil, steps: found.steps,
            isListed: exposure.isListed(index, for: access))
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
