import Auth
import Configuration
import Diagnostics
import MCPProtocol
import Synchronization
import Transport
import VirtualServers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Gateway {
    /// What does not fit between the virtual servers, `policy` and the upstreams that are known now.
    package var exposureProblems: [Problem] { snapshot.problems }

    /// What is as it should be between them, and may surprise.
    package var exposureWarnings: [Problem] {
        let snapshot = snapshot
        return snapshot.settings.virtualServers.flatMap { snapshot.exposures[$0.name]?.warnings ?? [] }
    }

    /// The problems, as far as they concern one virtual server, as this caller sees it; or only the rules without effect.
    package func exposureProblems(of server: String, for caller: Caller, rulesOnly: Bool = false) -> [Problem] {
        let snapshot = snapshot
        guard let exposure = exposure(of: server, for: caller, in: snapshot) else { return [] }
        let used = exposure.definition.upstreams
        return (rulesOnly ? exposure.ruleProblems : exposure.problems) + snapshot.policyProblems(of: used) { $0.list(for: caller) }
    }

    /// The issuers whose keys can't be had now: each of their tokens would be refused.
    package func issuerProblems() async -> [Problem] {
        let settings = settings
        var problems: [Problem] = []
        for issuer in settings.identity.issuers {
            guard let obstacle = await issuer.obstacle(fetch.function(.init(settings)), clock: { Int(time(nil)) }) else { continue }
            let position = settings.identity.issuerPositions[issuer.issuer] ?? SourcePosition(file: "gateway.yaml", line: 1, column: 1)
            let fix = "write `issuer` as its tokens and its metadata do, to the letter, or a `jwks_url`, and make sure that it runs"
            problems.append(Problem("the keys of the issuer \(issuer.issuer) can't be had: \(obstacle)", at: position, fix: fix))
        }
        return problems
    }

    /// Logs what does not fit now and did before, so that no rule is without effect in silence.
    func tellProblems() {
        let problems = exposureProblems + exposureWarnings
        for problem in toldProblems.fresh(among: problems) { Log("gateway").warning(problem.description) }
    }
}

extension Snapshot {
    fileprivate var problems: [Problem] {
        settings.virtualServers.flatMap { exposures[$0.name]?.problems ?? [] } + policyProblems(of: settings.upstreams.map(\.name)) { $0.commonList }
    }

    /// Rules of `policy` on one of those upstreams that can never match; a pattern may be there for tools that are yet to come.
    fileprivate func policyProblems(of used: [String], lists: (UpstreamInstances) -> UpstreamList?) -> [Problem] {
        settings.policy.flatMap(\.deny).flatMap { rule -> [Problem] in
            switch rule.matter {
            case .tools(let glob), .prompts(let glob): if !glob.isLiteral, rule.conditions.isEmpty { return [] }
            case .everything, .toolClass, .resources: break
            }
            let named = settings.upstreams.map(\.name).filter { rule.upstream?.matches($0) ?? true }
            guard named.contains(where: used.contains) else { return [] }
            var subjects: [Subject] = []
            for name in named {
                // What an upstream has that is away is not known.
                guard let offer = upstreams[name].flatMap(lists)?.offer else { return [] }
                subjects += offer.prompts.map { Subject(.prompt, name: $0.name, upstream: name, upstreamName: $0.name, schema: $0.schema) }
                subjects += offer.tools.map { tool in
                    Subject(
                        .tool, name: tool.name, upstream: name, upstreamName: tool.name,
                        toolClass: ToolClass(annotations: tool.json["annotations"]), schema: tool.json["inputSchema"])
                }
            }
            return RuleCheck(subjects).problems(of: rule)
        }
    }
}

/// The problems that the log has already.
final class ToldProblems: Sendable {
    private let told = Mutex<Set<String>>([])

    /// Those that were not there the last time.
    func fresh(among problems: [Problem]) -> [Problem] {
        told.withLock { told in
            defer { told = Set(problems.map(\.description)) }
            return problems.filter { !told.contains($0.description) }
        }
    }
}
