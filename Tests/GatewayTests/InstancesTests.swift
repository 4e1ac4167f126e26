import Auth
import JSON
import MCPProtocol
import Network
import Testing

@testable import Configuration
@testable import Gateway
@testable import Transport

@Suite struct InstancesTests {
    private static let forms = #"{"elicitation":{}}"#

    private let stage: Stage

    init() throws { stage = try Stage() }

    /// A client of the tests: what it may be asked, who it is and its session.
    struct Client: Sendable {
        var user = "alice"
        var capabilities = "{}"
        var session: String? = "s1"
        var revision = Revision.latestLegacy
    }

    private static func call(_ gateway: Gateway, _ client: Client, tool: String = "a_x") async throws -> JSONValue {
        let answer = try await gateway.ask(
            "tools/call", #"{"name":"\#(tool)","arguments":{}}"#, as: .localUser(client.user), revision: client.revision,
            capabilities: client.capabilities, session: client.session)
        return try #require(answer)
    }

    private static func child(_ gateway: Gateway, _ client: Client) async throws -> Int {
        let answer = try await call(gateway, client)
        return try #require(answer["result"]?["structuredContent"]?["pid"]?.integer, "\(answer)")
    }

    private func settings(_ instances: UpstreamDefinition.Instances, change: (inout LimitSettings) -> Void = { _ in }) -> Settings {
        var settings = stage.settings([stage.upstream("a", tools: ["x", "silent"], instances: instances)], select: ["a.*"])
        change(&settings.limits)
        return settings
    }

    @Test(arguments: [
        (UpstreamDefinition.Instances.shared, Client(), Client(user: "bob", session: "s2"), true),
        (.shared, Client(), Client(capabilities: forms), false),
        (.shared, Client(capabilities: forms), Client(user: "bob", capabilities: #"{"elicitation":{"form":{}}}"#), true),
        (.shared, Client(), Client(capabilities: forms, revision: .v2025_03_26), true),
        (.perUser, Client(), Client(session: "s2"), true), (.perUser, Client(), Client(user: "bob"), false),
        (.perSession, Client(), Client(), true), (.perSession, Client(), Client(session: "s2"), false),
        (.perSession, Client(session: nil), Client(session: nil), true),
        (.perSession, Client(session: nil), Client(user: "bob", session: nil), false),
    ])
    func `Callers share a child as far as the upstream and what they may be asked allow`(
        _ instances: UpstreamDefinition.Instances, _ one: Client, _ other: Client, _ expected: Bool
    ) async throws {
        try await stage.run(settings(instances)) { gateway in
            let (first, second) = (try await Self.child(gateway, one), try await Self.child(gateway, other))
            #expect((first == second) == expected)
            #expect(try await Self.child(gateway, one) == first)
            #expect(try await Self.child(gateway, other) == second)
        }
    }

    @Test func `A legacy upstream is told exactly what the client at the other end may be asked`() async throws {
        try await stage.run(settings(.shared)) { gateway in
            for capabilities in [#"{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}"#, "{}", #"{"roots":{}}"#] {
                let answer = try await Self.call(gateway, Client(capabilities: capabilities))
                let told = answer["result"]?["structuredContent"]?["opening"]?["capabilities"]
                #expect(told == (try JSONValue(parsing: Array(capabilities.utf8))))
            }
        }
    }

    @Test func `A child of one session ends with it, and no other does`() async throws {
        try await stage.run(settings(.perSession)) { gateway in
            let (mine, other) = (try await Self.child(gateway, Client()), try await Self.child(gateway, Client(session: "s2")))
            gateway.sessionEnded("s1")
            try await Processes.end(of: mine)
            #expect(try await Self.child(gateway, Client(session: "s2")) == other)
        }
    }

    @Test func `A child that nobody uses ends, and the next call gets another`() async throws {
        try await stage.run(settings(.perUser) { $0.instanceIdleTime = .milliseconds(50) }) { gateway in
            let first = try await Self.child(gateway, Client())
            try await Processes.end(of: first)
            #expect(try await Self.child(gateway, Client()) != first)
            // The one that lists come from stays.
            #expect(try await gateway.toolNames() == ["a_x", "a_silent"])
        }
    }

    @Test(arguments: [true, false]) func `One child too many ends the one that was unused for longest`(_ inAll: Bool) async throws {
        let settings = settings(.perSession) { if inAll { $0.instancesMax = 2 } else { $0.upstreamInstancesMax = 2 } }
        try await stage.run(settings) { gateway in
            let first = try await Self.child(gateway, Client(user: "alice", session: "1"))
            let second = try await Self.child(gateway, Client(user: "bob", session: "2"))
            _ = try await Self.child(gateway, Client(user: "carol", session: "3"))
            try await Processes.end(of: first)
            #expect(try await Self.child(gateway, Client(user: "bob", session: "2")) == second)
        }
    }

    @Test(arguments: [(8, 0, 2), (8, 3, 3), (3, 0, 1), (2, 9, 9)]) func `A share is a quarter where none is written, and one at least`(
        _ all: Int, _ written: Int, _ expected: Int
    ) {
        var limits = LimitSettings()
        (limits.upstreamInstancesMax, limits.upstreamInstancesOfCallerMax) = (all, written)
        #expect(limits.upstreamInstancesShare == expected)
    }

    @Test func `A caller who has a full share makes room by what is theirs, and ends nobody else's`() async throws {
        try await stage.run(settings(.perSession) { $0.upstreamInstancesOfCallerMax = 2 }) { gateway in
            let other = try await Self.child(gateway, Client(user: "bob", session: "b"))
            let first = try await Self.child(gateway, Client(session: "1"))
            let second = try await Self.child(gateway, Client(session: "2"))
            _ = try await Self.child(gateway, Client(session: "3"))
            try await Processes.end(of: first)
            #expect(try await Self.child(gateway, Client(session: "2")) == second)
            #expect(try await Self.child(gateway, Client(user: "bob", session: "b")) == other)
        }
    }

    @Test func `A caller who has a full share is refused while all of it is at work, and others are served`() async throws {
        try await whileAtWork(settings(.perSession) { $0.upstreamInstancesMax = 4 }) { gateway in
            let answer = try await Self.call(gateway, Client(session: "2"))
            #expect(answer["error"]?["message"]?.string?.hasPrefix("The upstream \"a\" serves as many callers as it may") == true)
            _ = try await Self.child(gateway, Client(user: "bob", session: "3"))
        }
    }

    @Test func `Where all children are at work, one more is refused and says so`() async throws {
        try await whileAtWork(settings(.perSession) { $0.upstreamInstancesMax = 1 }) { gateway in
            let answer = try await Self.call(gateway, Client(user: "bob", session: "2"))
            #expect(answer["error"]?["message"]?.string?.hasPrefix("The upstream \"a\" serves as many callers as it may") == true)
        }
    }

    /// Runs the body while alice's session "1" is at work.
    private func whileAtWork(_ settings: Settings, _ body: @escaping @Sendable (Gateway) async throws -> Void) async throws {
        try await stage.run(settings) { gateway in
            _ = try await Self.child(gateway, Client(session: "1"))
            let cancellation = Cancellation()
            let ended = Mailbox<Bool>(capacity: 1)
            EventLoop.current?.task {
                _ = try? await gateway.ask(
                    "tools/call", #"{"name":"a_silent"}"#, as: .localUser("alice"), session: "1", cancellation: cancellation)
                _ = ended.send(true)
            }
            let instances = try #require(gateway.snapshot.upstreams["a"])
            while !instances.all.contains(where: { $0.key.owner == .session("1") && $0.unusedSince == nil }) {
                try await EventLoop.current?.sleep(for: .milliseconds(2))
            }
            try await body(gateway)
            cancellation.cancel()
            _ = await ended.next()
        }
    }
}
