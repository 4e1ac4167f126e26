import Auth
import Configuration
import Gateway
import JSON
import Network
import VirtualServers

extension Command {
    static let explain = Command(
        name: "explain",
        help: """
            Say whether somebody may make a call, which rule decides, and where it stands.

            Usage: switchboard explain [--config FILE] --server NAME --as WHO TOOL ['{"json":"arguments"}'] [--json]
                   switchboard explain … prompt:NAME ['{"json":"arguments"}'] | resource:URI

            \(Help.config)
              --server NAME   the virtual server
              --as WHO        \(Help.who)
              --json          the same as JSON

            The upstreams are asked for what they have; the call itself is not made. Without arguments a call without any is judged.
            Where an upstream can't be asked, since its users sign in or bring a token, name and rules are judged.
            Exit status 0 when it is allowed, 1 when it is refused or can't be told.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "explain", values: ["--config", "--server", "--as"], flags: ["--json"])
        try words.expect(rest: 1...2, "the tool's name, prompt:NAME or resource:URI")
        let name = try words.required("--server", "the virtual server that has the tool")
        _ = try words.required("--as", "who calls, as in user:alice,group:admins")
        let caller = try words.caller
        let tool = words.rest[0]
        let given = try words.arguments(at: 1)
        let hasNone = words.rest.count == 1
        let isJSON = words.flags.contains("--json")
        guard let (_, settings, _) = Configured.settings(words, isServing: false), let server = Configured.server(name, in: settings) else {
            return 1
        }
        Configured.log(only: .error)
        return onLoops(count: 1) { loops in
            let gateway = Gateway(settings, loops: loops, environment: Configured.environment)
            _ = await gateway.connect(to: settings.virtualServers.first { $0.name == server }?.upstreams, as: caller)
            _ = complain(about: gateway, server, caller)
            let explanation = gateway.explain(server, caller, tool, arguments: given)
            await gateway.stop()
            guard let explanation else { return 1 }
            let told = Told(server: server, tool: tool, caller: caller, explanation: explanation, hasNoArguments: hasNone)
            print(isJSON ? told.json.pretty() : told.text)
            return explanation.decision?.isAllowed == true ? 0 : 1
        }
    }
}

/// An explanation as it is printed.
private struct Told {
    let server: String
    let tool: String
    let caller: Caller
    let explanation: CallExplanation
    let hasNoArguments: Bool

    private var decision: Decision? { explanation.decision }

    /// What is called, as rules begin to name it; a tool where it is neither of the others.
    private var kind: String { ["prompt", "resource"].first { tool.hasPrefix($0 + ":") } ?? "tool" }

    private var verdict: String { decision.map { $0.isAllowed ? "ALLOWED" : "REFUSED" } ?? "NOT KNOWN" }

    var text: String {
        var lines = ["\(verdict): \(tool) of \(server) for \(caller)"]
        if let rule = decision?.rule {
            lines.append("by \(rule.position): \(rule.text)" + (decision?.role.map { ", in the role \($0)" } ?? ""))
        } else if let decision, decision.reason == nil {
            lines.append("for no rule allows it")
        }
        if let reason = decision?.reason { lines.append("reason: \(reason)") }
        if let note = explanation.note { lines.append("note: \(note)") }
        lines.append("")
        lines.append(
            "caller:    \(caller)"
                + (caller.groups.isEmpty ? ", in no groups" : ", in \(caller.groups.sorted().map(\.description).joined(separator: ", "))"))
        if let subject = explanation.subject {
            let what = "\(kind):".padding(to: 11) + "\(subject.upstream).\(subject.upstreamName)"
            lines.append(subject.kind == .tool ? "\(what), \(subject.toolClass.text)" : what)
        }
        if let arguments = explanation.arguments { lines.append("arguments: \(arguments.text)\(hasNoArguments ? " (none were given)" : "")") }
        if explanation.isListed, decision?.isAllowed == false {
            lines.append("The caller sees the \(kind) in its list; other arguments are allowed.")
        }
        if !explanation.steps.isEmpty { lines += ["", "considered:"] }
        for step in explanation.steps {
            let mark = step.rule == decision?.rule && step.applies ? ">" : " "
            let owner = step.role.map { "role \($0)" } ?? (step.effect == "deny" ? "policy" : "access")
            lines.append(
                "\(mark) \(step.effect)  \(step.rule.position): \(step.rule.text)  [\(owner)] \(step.applies ? "applies" : "does not apply"): \(step.why)"
            )
        }
        return lines.joined(separator: "\n")
    }

    var json: JSONValue {
        var value: JSONValue = ["decision": .string(decision?.outcome.rawValue ?? "unknown"), "server": .string(server)]
        value[kind] = .string(kind == "tool" ? tool : String(tool.drop { $0 != ":" }.dropFirst()))
        value["rule"] = (decision?.rule).map { json(of: $0, role: decision?.role) } ?? .null
        value["reason"] = (decision?.reason).map { .string($0) } ?? .null
        value["note"] = explanation.note.map { .string($0) }
        value["caller"] = [
            "user": caller.user.map { .string($0) } ?? .null, "client": caller.client.map { .string($0) } ?? .null,
            "groups": .array(caller.groups.sorted().map { .string($0.description) }),
        ]
        if let subject = explanation.subject {
            value["upstream"] = .string(subject.upstream)
            value["upstream_\(kind)"] = .string(subject.upstreamName)
            let classes = subject.toolClass.text.split(separator: " ").map { JSONValue.string(String($0)) }
            if subject.kind == .tool { value["classes"] = .array(classes) }
        }
        value["arguments"] = explanation.arguments ?? .null
        value["listed"] = .bool(explanation.isListed)
        value["considered"] = .array(
            explanation.steps.map { step in
                var one = json(of: step.rule, role: step.role)
                one["effect"] = .string(step.effect)
                one["applies"] = .bool(step.applies)
                one["why"] = .string(step.why)
                return one
            })
        return value
    }

    private func json(of rule: RuleReference, role: String?) -> JSONValue {
        [
            "text": .string(rule.text), "file": .string(rule.position.file), "line": .number(String(rule.position.line)),
            "column": .number(String(rule.position.column)), "role": role.map { .string($0) } ?? .null,
        ]
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
