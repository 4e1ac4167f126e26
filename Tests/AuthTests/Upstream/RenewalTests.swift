import Foundation
import Synchronization
import Testing

@testable import Auth

@Suite struct RenewalTests {
    private let world = TestServices(environment: ["S": "s3cret"])

    private func source() -> CredentialSource {
        let client = OAuthClientDefinition(
            tokenURL: "https://auth.example/token", clientID: reference(.text("gw")), authentication: .post(reference(.environment("S"))))
        return CredentialSource(.clientCredentials(client, TokenDemand()), upstream: "up", services: world.services)
    }

    /// Tokens `t1`, `t2`, … of that life.
    private func answerNumbered(life: Int = 100) {
        let box = Box()
        world.answers { (_, _) throws(FetchFailure) in (200, #"{"access_token":"t\#(box.next())","token_type":"Bearer","expires_in":\#(life)}"#) }
    }

    private final class Box: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    @Test func `However many calls wait, one token is asked for`() async throws {
        answerNumbered()
        let source = source()
        let tokens = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<200 { group.addTask { try? await source.bearer() } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(tokens) == ["t1"] && world.requests.count == 1)
    }

    @Test func `Before it expires it is renewed, and no call waits for that`() async throws {
        answerNumbered(life: 1_000)
        let source = source()
        #expect(try await source.bearer() == "t1")
        world.clock.advance(.seconds(939))
        #expect(try await source.bearer() == "t1")
        #expect(world.requests.count == 1)
        world.clock.advance(.seconds(2))
        #expect(try await source.bearer() == "t1")
        try await until { try await source.bearer() == "t2" }
        #expect(world.requests.count == 2)
    }

    @Test func `While the old one is good, a failing renewal fails no call, and the server is asked ever more rarely`() async throws {
        answerNumbered(life: 1_000)
        let source = source()
        #expect(try await source.bearer() == "t1")
        world.answers { (_, _) throws(FetchFailure) in (503, "") }
        world.clock.advance(.seconds(941))
        for _ in 0..<480 {
            #expect(try await source.bearer() == "t1")
            await Task.yield()
            world.clock.advance(.milliseconds(100))
        }
        #expect((2...8).contains(world.requests.count), "\(world.requests.count)")
        world.clock.advance(.seconds(60))
        await #expect(throws: CredentialFailure.self) { try await source.bearer() }
        answerNumbered()
        world.clock.advance(.seconds(60))
        #expect(try await source.bearer() == "t1")
    }

    @Test func `A server that fails is not asked again by every call`() async {
        world.answers { (_, _) throws(FetchFailure) in throw FetchFailure("refused") }
        let source = source()
        for _ in 0..<50 { await #expect(throws: CredentialFailure.self) { try await source.bearer() } }
        #expect(world.requests.count == 1)
        world.clock.advance(.seconds(1))
        await #expect(throws: CredentialFailure.self) { try await source.bearer() }
        #expect(world.requests.count == 2)
    }

    @Test func `A refused token is renewed once, whoever was refused`() async throws {
        answerNumbered()
        let source = source()
        let first = try await source.lines(for: .anonymous)
        let others = await withTaskGroup(of: [UInt8]?.self) { group in
            for _ in 0..<100 { group.addTask { try? await source.refused(first, for: .anonymous) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(others.map { $0.map { String(decoding: $0, as: UTF8.self) } }) == ["Authorization: Bearer t2\r\n"])
        #expect(world.requests.count == 2)
    }

    @Test func `An upstream that refuses every token does not make the gateway ask for one with every call`() async throws {
        answerNumbered()
        let source = source()
        for _ in 0..<50 {
            let lines = try await source.lines(for: .anonymous)
            _ = try await source.refused(lines, for: .anonymous)
        }
        #expect(world.requests.count == 2)
    }

    @Test func `A refused token stays in use where no other can be had`() async throws {
        answerNumbered()
        let source = source()
        let lines = try await source.lines(for: .anonymous)
        world.answers { (_, _) throws(FetchFailure) in (503, "") }
        #expect(try await source.refused(lines, for: .anonymous) == nil)
        #expect(try await source.bearer() == "t1")
    }

    @Test func `What is kept can be forgotten`() async throws {
        answerNumbered()
        let source = source()
        #expect(try await source.bearer() == "t1")
        source.forget(.shared)
        #expect(try await source.bearer() == "t2")
    }

    /// Waits for what another task does at once.
    private func until(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<100_000 {
            if try await condition() { return }
            await Task.yield()
        }
        Issue.record("it never came")
    }
}

@Suite struct CredentialListTests {
    private static func who(_ text: String) throws -> [WhoPattern] { [try WhoPattern(parsing: text, at: somewhere)] }

    private func source(everyone: Bool) throws -> CredentialSource {
        var choices = [
            CredentialDefinition.Choice(who: try Self.who("group:admins"), credential: .bearer(reference(.environment("A"))), position: somewhere),
            CredentialDefinition.Choice(who: try Self.who("client:ci-*"), credential: .bearer(reference(.environment("C"))), position: somewhere),
        ]
        if everyone { choices.append(.init(who: [], credential: .bearer(reference(.environment("R"))), position: somewhere)) }
        let world = TestServices(environment: ["A": "admin", "C": "ci", "R": "reader"])
        return CredentialSource(.firstOf(choices), upstream: "up", services: world.services)
    }

    @Test(arguments: [
        (user("a", groups: ["admins", "x"]), "admin", 0), (user("b", groups: ["x"]), "reader", 2), (Caller.anonymous, "reader", 2),
        (Caller(.key(id: "k"), client: "ci-1"), "ci", 1), (Caller(.key(id: "k"), client: "ci-1", groups: ["admins"]), "admin", 0),
    ])
    func `The first entry that fits is sent, and callers of one entry share it`(caller: Caller, token: String, choice: Int) async throws {
        let source = try source(everyone: true)
        #expect(try await source.bearer(for: caller) == token)
        #expect(source.key(for: caller) == CredentialKey(choice: choice) && source.dependsOnCaller)
    }

    @Test func `Where none fits, there is none, and the text says so`() async throws {
        let source = try source(everyone: false)
        #expect(source.key(for: user("b")) == nil && source.known(for: user("b")) == nil)
        let error = await #expect(throws: CredentialFailure.self) { try await source.lines(for: user("b")) }
        #expect(error?.description == "no entry of its `credential` is for user:b" && error?.isOfCaller == true)
    }
}
