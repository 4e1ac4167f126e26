import Foundation
import Testing

@testable import Auth

/// Prints what a decision costs; run with SWITCHBOARD_MEASURE=1 and `-c release`, since a debug build says nothing of it.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SWITCHBOARD_MEASURE"] == "1"))
struct DecisionTimeTests {
    @Test("what a decision costs")
    func cost() throws {
        let subjects = (0..<1_000).map { tool("tool_\($0)", schema: ["type": "object", "properties": ["m": [:]]]) }
        let roles = try (0..<20).map {
            try role("r\($0)", try who("group:g\($0)", "user:u\($0)*"), allow: ["up_tool_\($0)*", "@read"], deny: ["up_tool_9\($0)(m=x)"])
        }
        let policy = AccessPolicy(
            .roles(roles), at: here, prohibitions: [try prohibition("*.tool_7*", unless: try who("group:boss"))], subjects: subjects)
        let caller = Caller(.login, user: "alice@example.com", client: "bot", groups: Set((1..<10).map { GroupName("g\($0)") }))
        let arguments = Array(#"{"owner":"acme","repo":"web","m":"get","number":17}"#.utf8)
        for (name, index) in [("allowed", 1), ("denied", 7), ("conditional", 91)] {
            let count = 1_000_000
            let time = ContinuousClock().measure {
                for _ in 0..<count {
                    _ = try? policy.access(of: caller).permit(
                        caller, toUse: index, called: "up_tool", of: "s", arguments: (arguments, arguments.indices))
                }
            }
            print("decision, \(name): \(time / count)")
        }
    }
}
