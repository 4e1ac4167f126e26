import JSON
import MCPProtocol
import Synchronization
import Testing

@testable import Transport

@Suite struct ResourceWatchTests {
    private final class Source: ResourceSource {
        func standing(of uri: String) -> ResourceStanding { .heard }
        func tell(_ settlement: Settlement, of uri: String) -> Bool { false }
        func promise(_ uri: String) {}
    }

    private let source = Source()

    private func watch(_ uri: String, at source: Source? = nil) -> ResourceWatch { ResourceWatch(uri, by: ResourceHold(at: source ?? self.source)) }

    @Test(
        arguments: [
            ("x://a", "x://a", true), ("x://a", "x://a/b", true), ("x://a", "x://a?q", true), ("x://a", "x://a#f", true), ("x://a", "x://ab", false),
            ("x://a/", "x://a/b", true), ("x://a/b", "x://a", false), ("x://", "x://a", true), ("x://a", "x://a/b/c?d", true),
        ])
    func `A watch is about its resource and parts of it`(_ watched: String, _ changed: String, _ isCovered: Bool) {
        let watches = ResourceWatches()
        watches.add(watch(watched))
        #expect(watches.covers(ResourceWatch.wholes(of: changed), from: source) == isCovered)
    }

    @Test func `A watch ends once, when nobody holds it any more, and its hold with it`() {
        let ended = Mutex<[String]>([])
        let watches = [ResourceWatches(), ResourceWatches()]
        let hold = ResourceHold(at: source) { ended.withLock { $0.append("hold") } }
        var watch: ResourceWatch? = ResourceWatch("x://a", by: hold) { ended.withLock { $0.append("watch") } }
        for one in watches { if let watch { one.add(watch) } }
        watch = nil
        watches[0].remove("x://a")
        #expect(ended.withLock { $0 } == [] && watches[1].covers(["x://a"], from: source))
        watches[1].remove("x://a")
        #expect(!watches[1].covers(["x://a"], from: source))
        #expect(ended.withLock { $0 } == ["watch"])
        withExtendedLifetime(hold) {}
    }

    @Test func `A watch that moves is its new upstream's, and the old one is let go`() {
        let ended = Mutex(0)
        let other = Source()
        let watch = ResourceWatch("x://a", by: ResourceHold(at: source) { ended.withLock { $0 += 1 } })
        let watches = ResourceWatches()
        watches.add(watch)
        watch.move(to: ResourceHold(at: other))
        #expect(ended.withLock { $0 } == 1)
        #expect(watches.covers(["x://a"], from: other) && !watches.covers(["x://a"], from: source))
    }

    @Test func `Only who watches hears of an update, from the upstream that it watches, and where it may`() async {
        let feed = ChangeFeed()
        let (watches, elsewhere) = (ResourceWatches(), ResourceWatches())
        watches.add(watch("x://a"))
        elsewhere.add(watch("x://a", at: Source()))
        let listeners = [watches, elsewhere, ResourceWatches()].map { feed.listen(to: "s", as: .anonymous, watching: $0) }
        feed.publishUpdate(of: "x://a", from: source) { _, _ in true }
        feed.publishUpdate(of: "x://a", from: source) { _, _ in true }
        feed.publishUpdate(of: "x://a/secret", from: source) { _, _ in false }
        feed.publishLoss(of: "x://a", at: source)
        feed.publishUpdate(of: "x://a", from: source) { _, _ in true }
        feed.end()
        var heard: [[ChangeFeed.Change]] = []
        for listener in listeners {
            var changes: [ChangeFeed.Change] = []
            while let change = await listener.changes.next() { changes.append(change) }
            heard.append(changes)
        }
        #expect(heard == [[.updated("x://a"), .lost("x://a"), .end], [.end], [.end]])
    }

    @Test func `A subscription gets what it asked for and the server has, under its own id`() throws {
        let filter = #"{"promptsListChanged":true,"toolsListChanged":true,"resourceSubscriptions":["x://a","x://a","x://b"]}"#
        let request = try message(#"{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":\#(filter)}}"#)
        let capabilities: JSONValue = ["tools": [:], "resources": ["subscribe": true]]
        let subscription = try Subscription(request, id: bytes(#""s""#)[...], capabilities: capabilities)
        #expect(subscription.resources == ["x://a", "x://b"])
        let tag: JSONValue = ["io.modelcontextprotocol/subscriptionId": "s"]
        let told = try JSONValue(parsing: subscription.acknowledgement(watched: ["x://b"]))
        #expect(told["params"] == ["_meta": tag, "notifications": ["toolsListChanged": true, "resourceSubscriptions": ["x://b"]]])
        #expect(subscription.notification(of: .prompts) == nil && subscription.notification(of: .tools) != nil)
        let update = try JSONValue(parsing: try #require(subscription.notification(of: .updated("x://b"))))
        #expect(update["method"] == "notifications/resources/updated" && update["params"] == ["_meta": tag, "uri": "x://b"])
        #expect(try Subscription(request, id: bytes("1")[...], capabilities: ["resources": [:]]).resources.isEmpty)
    }
}
