import JSON
import MCPProtocol
import Synchronization
import Testing

@testable import Transport

@Suite struct ResourceWatchTests {
    private final class Source: Sendable {}
    private let source = Source()

    @Test(
        arguments: [
            ("x://a", "x://a", true), ("x://a", "x://a/b", true), ("x://a", "x://a?q", true), ("x://a", "x://a#f", true), ("x://a", "x://ab", false),
            ("x://a/", "x://a/b", true), ("x://a/b", "x://a", false), ("x://", "x://a", true),
        ])
    func `A watch is about its resource and parts of it`(_ watched: String, _ changed: String, _ isCovered: Bool) {
        #expect(ResourceWatch(watched, at: source).covers(changed) == isCovered)
    }

    @Test func `A watch ends once, when nobody holds it any more`() {
        let ended = Mutex(0)
        let watches = [ResourceWatches(), ResourceWatches()]
        var watch: ResourceWatch? = ResourceWatch("x://a", at: source) { ended.withLock { $0 += 1 } }
        for one in watches { if let watch { one.add(watch) } }
        watch = nil
        watches[0].remove("x://a")
        #expect(ended.withLock { $0 } == 0 && watches[1].covers("x://a", from: ObjectIdentifier(source)))
        watches[1].remove("x://a")
        #expect(ended.withLock { $0 } == 1 && !watches[1].covers("x://a", from: ObjectIdentifier(source)))
    }

    @Test func `Only who watches hears of an update, from the upstream that it watches, and where it may`() async {
        let feed = ChangeFeed()
        let (watches, elsewhere) = (ResourceWatches(), ResourceWatches())
        watches.add(ResourceWatch("x://a", at: source))
        elsewhere.add(ResourceWatch("x://a", at: Source()))
        let listeners = [watches, elsewhere, ResourceWatches()].map { feed.listen(to: "s", as: .anonymous, watching: $0) }
        feed.publishUpdate(of: "x://a", from: source) { _, _ in true }
        feed.publishUpdate(of: "x://a", from: source) { _, _ in true }
        feed.publishUpdate(of: "x://a/secret", from: source) { _, _ in false }
        feed.end()
        var heard: [[ChangeFeed.Change]] = []
        for listener in listeners {
            var changes: [ChangeFeed.Change] = []
            while let change = await listener.changes.next() { changes.append(change) }
            heard.append(changes)
        }
        #expect(heard == [[.updated("x://a"), .end], [.end], [.end]])
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
