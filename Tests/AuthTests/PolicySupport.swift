import Diagnostics
import JSON

@testable import Auth

let here = SourcePosition(file: "rules.yaml", line: 1, column: 1)

func tree(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

func who(_ texts: String...) throws -> [WhoPattern] { try texts.map { try WhoPattern(parsing: $0, at: here) } }

func role(_ name: String = "team", _ people: [WhoPattern]? = nil, allow: [String] = [], deny: [String] = []) throws -> Role {
    let rules = { (texts: [String]) in try texts.map { try Rule(parsing: $0, at: here) } }
    return Role(name: name, who: try people ?? who("everyone"), allow: try rules(allow), deny: try rules(deny), position: here)
}

func prohibition(_ texts: String..., unless: [WhoPattern] = [], reason: String? = nil) throws -> Prohibition {
    Prohibition(deny: try texts.map { try Rule(parsing: $0, isOfUpstream: true, at: here) }, reason: reason, unless: unless)
}

/// A tool of the upstream `up`, called `up_NAME`.
func tool(_ name: String, annotations: JSONValue? = nil, schema: JSONValue = ["type": "object"]) -> Subject {
    Subject(.tool, name: "up_" + name, upstream: "up", upstreamName: name, toolClass: ToolClass(annotations: annotations), schema: schema)
}

extension AccessPolicy {
    convenience init(_ roles: [Role], prohibitions: [Prohibition] = [], _ subjects: Subject...) {
        self.init(.roles(roles), at: here, prohibitions: prohibitions, subjects: subjects)
    }

    /// Whether a call with those arguments, as JSON, is allowed.
    func allows(_ caller: Caller = .anonymous, _ subject: Int = 0, _ arguments: String? = nil) -> Bool {
        let bytes = Array((arguments ?? "").utf8)
        let permit = try? access(of: caller).permit(
            caller, toUse: subject, called: subjects[subject].subject.name, of: "s", arguments: arguments == nil ? nil : (bytes, bytes.indices))
        return permit != nil
    }

    /// Whether it is listed.
    func lists(_ caller: Caller = .anonymous, _ subject: Int = 0) -> Bool {
        access(of: caller).narrowings(of: subject, in: ArgumentSpace(schema: subjects[subject].subject.schema ?? [:])) != nil
    }
}
