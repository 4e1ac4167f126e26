import Auth
import Testing

@testable import VirtualServers

@Suite("What two configurations differ in, as they are written")
struct AccessReachTests {
    private func reach(
        _ tools: [String], who: String = "group:x", allow: String = "add", deny: String? = nil, role: String = "r"
    ) throws -> AccessReach {
        let denied = try deny.map { [Prohibition(deny: [try Rule(parsing: $0, isOfUpstream: true, at: line(2))])] } ?? []
        var definition = VirtualServerDefinition(name: "team", naming: .plain, tools: tools.map { select($0) }, position: line(1))
        definition.access = .roles([
            Role(
                name: role, who: [try WhoPattern(parsing: who, at: line(3))], allow: [try Rule(parsing: allow, at: line(4))], deny: [],
                position: line(3))
        ])
        var reach = AccessReach(prohibitions: denied)
        reach.add(definition)
        return reach
    }

    private func vague(_ text: String) -> String { "? team: can't tell without --connect: \(text)" }

    @Test("where patterns say which tools there are, what has changed is named")
    func patterns() throws {
        let old = try reach(["up.*"], deny: "up.del")
        #expect(try old.changes(to: reach(["up.*"], deny: "up.del", role: "another")) == [])
        #expect(
            try old.changes(to: reach(["up.*"], allow: "del", deny: "up.del"))
                == [vague("group:x is allowed del now"), vague("group:x is no longer allowed add")])
        #expect(
            try old.changes(to: reach(["up.*"], who: "group:y", deny: "up.del"))
                == [vague("group:y is allowed add now"), vague("group:x is no longer allowed add")])
        #expect(try old.changes(to: reach(["up.*"])) == [vague("`policy` no longer denies up.del")])
        #expect(
            try reach(["up.add"]).changes(to: reach(["up.*"])) == [vague("`tools` has up.* now"), vague("`tools` no longer has up.add")])
    }

    @Test("a rule of policy on another upstream says nothing")
    func otherUpstream() throws { #expect(try reach(["up.*"]).changes(to: reach(["up.*"], deny: "other.del")) == []) }

    @Test("exact tools are compared one by one")
    func exact() throws {
        #expect(
            try reach(["up.add", "up.del"]).changes(to: reach(["up.add", "up.del"], allow: "del"))
                == ["- team: group:x loses add (up.add)", "+ team: group:x gains del (up.del)"])
        #expect(try reach(["up.add"]).changes(to: reach(["up.add"], deny: "up.add")) == ["- team: group:x loses add (up.add)"])
        #expect(try reach(["up.add"], allow: "@read").changes(to: reach(["up.add"])).allSatisfy { $0.hasPrefix("? ") })
    }
}
