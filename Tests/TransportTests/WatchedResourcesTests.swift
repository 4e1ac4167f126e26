import Auth
import Diagnostics
import JSON
import MCPProtocol
import Synchronization
import Testing

@testable import Network
@testable import Transport

/// An upstream that is asked for its resources, and answers when it is told to, or by a rule.
private final class WatchedLink: UpstreamLink {
    struct Asked: Sendable {
        let method: String
        let uris: [String]
        let answer: Mailbox<Bool>
    }

    let peer: UpstreamPeer
    let asked = Mailbox<Asked>(capacity: 4_096)

    init(_ revision: Revision) {
        let capabilities: JSONValue = ["resources": ["subscribe": true]]
        peer = UpstreamPeer(revision: revision, transport: "test", capabilities: capabilities, serverInfo: nil, instructions: nil)
    }

    func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        let uri = (try? JSONValue(parsing: bytes("{") + request.members + bytes("}")))?["uri"]?.string ?? ""
        guard await isTaken(request.method, [uri]) else { throw .refused("no") }
        guard let answer = try? message(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) else { throw .violation("the test's own message") }
        return answer
    }

    func listen(to resources: [String]) async throws(UpstreamError) -> ResourceStream {
        guard await isTaken("listen", resources) else { throw .refused("no") }
        return ResourceStream(heard: Set(resources)) { [self] in _ = asked.send(Asked(method: "end", uris: resources, answer: Mailbox(capacity: 1))) }
    }

    func notify(_ bytes: [UInt8]) async {}
    func close() async {}

    private func isTaken(_ method: String, _ uris: [String]) async -> Bool {
        let answer = Mailbox<Bool>(capacity: 1)
        _ = asked.send(Asked(method: method, uris: uris, answer: answer))
        return await answer.next() ?? false
    }
}

@Suite struct WatchedResourcesTests {
    private let alice = Caller.localUser("alice").identity
    private let bob = Caller.localUser("bob").identity

    private func resources(on loop: EventLoop) -> WatchedResources { WatchedResources(loop: loop, limits: UpstreamLimits(), log: Log("watched")) }

    @Test func `A few requests are under way at once, and one caller's wishes wait for another's no longer than for their own`() async throws {
        try await onLoop { [alice, bob] loop in
            let (link, watched) = (WatchedLink(.v2025_11_25), resources(on: loop))
            watched.use(link)
            for number in 0..<1_000 { watched.add("bob://\(number)", for: bob, isPromised: false) }
            watched.add("alice://1", for: alice, isPromised: false)
            let settlement = Settlement(of: 1)
            #expect(watched.tell(settlement, of: "alice://1"))
            var open: [WatchedLink.Asked] = []
            for _ in 0..<8 { open.append(try #require(await link.asked.next())) }
            #expect(open.allSatisfy { $0.uris.first?.hasPrefix("bob") == true })
            // Each answer makes room for one more: alice's is the next, or the one after.
            for asked in open.prefix(2) { asked.answer.send(true) }
            let next = [try #require(await link.asked.next()).uris, try #require(await link.asked.next()).uris]
            #expect(next.contains(["alice://1"]))
            #expect(watched.standing(of: "alice://1") == .waiting)
            guard case .timedOut = await link.asked.next(within: .zero) else {
                Issue.record("more than eight at once")
                return
            }
        }
    }

    @Test func `Who has gone is not waited for, and what was asked for them already is given up`() async throws {
        try await onLoop { [alice, bob] loop in
            let (link, watched) = (WatchedLink(.v2025_11_25), resources(on: loop))
            watched.use(link)
            for number in 0..<100 { watched.add("bob://\(number)", for: bob, isPromised: false) }
            var open: [WatchedLink.Asked] = []
            for _ in 0..<8 { open.append(try #require(await link.asked.next())) }
            for number in 0..<100 { watched.remove("bob://\(number)", for: bob) }
            watched.add("alice://1", for: alice, isPromised: false)
            for asked in open { asked.answer.send(true) }
            var methods: [String] = []
            for _ in 0..<9 {
                let asked = try #require(await link.asked.next())
                methods.append(asked.method)
                asked.answer.send(true)
            }
            #expect(methods.filter { $0 == "resources/unsubscribe" }.count == 8)
            #expect(watched.standing(of: "alice://1") != .refused)
        }
    }

    @Test func `Another link is subscribed to all that is watched, and who counted on it hears that something may have changed`() async throws {
        try await onLoop { [alice] loop in
            let watched = resources(on: loop)
            let news = Mailbox<String>(capacity: 10)
            watched.whenNews { one in
                if case .mayHaveChanged(let uri) = one { news.send(uri) }
                if case .lost(let uri) = one { news.send("lost " + uri) }
            }
            watched.add("x://a", for: alice, isPromised: false)
            for isTaken in [true, true, false] {
                let link = WatchedLink(.v2025_11_25)
                watched.use(link)
                let settlement = Settlement(of: 1)
                #expect(watched.tell(settlement, of: "x://a"))
                let asked = try #require(await link.asked.next())
                #expect(asked.method == "resources/subscribe" && asked.uris == ["x://a"])
                asked.answer.send(isTaken)
                await settlement.wait(within: .seconds(60))
            }
            #expect(await news.next() == "x://a")
            #expect(await news.next() == "lost x://a")
        }
    }

    @Test func `A modern upstream tells of many on one stream, and its successor is there before it ends`() async throws {
        try await onLoop { [alice, bob] loop in
            let (link, watched) = (WatchedLink(.latestModern), resources(on: loop))
            watched.use(link)
            watched.add("x://a", for: alice, isPromised: false)
            let first = try #require(await link.asked.next())
            #expect(first.uris == ["x://a"])
            watched.add("x://c", for: bob, isPromised: false)
            watched.add("x://b", for: alice, isPromised: false)
            first.answer.send(true)
            let second = try #require(await link.asked.next())
            #expect(second.method == "listen" && second.uris == ["x://a", "x://b", "x://c"])
            second.answer.send(true)
            #expect(try #require(await link.asked.next()).method == "end")
            watched.remove("x://b", for: alice)
            let third = try #require(await link.asked.next())
            #expect(third.uris == ["x://a", "x://c"])
        }
    }

    @Test func `What one caller wants and a modern upstream refuses spoils nobody else's`() async throws {
        try await onLoop { [alice, bob] loop in
            let (link, watched) = (WatchedLink(.latestModern), resources(on: loop))
            watched.add("x://a", for: alice, isPromised: false)
            watched.add("bad://b", for: bob, isPromised: false)
            let settlement = Settlement(of: 2)
            #expect(watched.tell(settlement, of: "x://a") && watched.tell(settlement, of: "bad://b"))
            watched.use(link)
            for _ in 0..<3 {
                let asked = try #require(await link.asked.next())
                asked.answer.send(!asked.uris.contains("bad://b"))
            }
            await settlement.wait(within: .seconds(60))
            #expect(watched.standing(of: "x://a") == .heard && watched.standing(of: "bad://b") == .refused)
        }
    }

    @Test func `No stream is asked for more than it can carry`() async throws {
        try await onLoop { [alice] loop in
            let (link, watched) = (WatchedLink(.latestModern), resources(on: loop))
            let long = String(repeating: "x", count: 4_000)
            for number in 0..<150 { watched.add("x://\(number)/\(long)", for: alice, isPromised: false) }
            watched.use(link)
            var counts: [Int] = []
            while counts.reduce(0, +) < 150 {
                let asked = try #require(await link.asked.next())
                counts.append(asked.uris.count)
                #expect(asked.uris.reduce(0) { $0 + $1.utf8.count } <= 256 << 10)
                asked.answer.send(true)
            }
            #expect(counts.count == 3)
        }
    }
}
