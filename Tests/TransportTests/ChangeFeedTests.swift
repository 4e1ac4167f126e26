import Testing

@testable import Transport

@Suite("The feed of changes")
struct ChangeFeedTests {
    @Test("listeners hear of their own server only, until they leave")
    func listeners() async {
        let feed = ChangeFeed()
        let (mine, other) = (feed.listen(to: "a", as: .anonymous), feed.listen(to: "b", as: .anonymous))
        feed.publish([.tools], to: "a")
        feed.publish([.tools], to: "b")
        feed.publish([.tools], to: "c")
        feed.leave(mine)
        feed.publish([.tools], to: "a")
        feed.leave(other)
        #expect(await drain(mine) == ["tools"])
        #expect(await drain(other) == ["tools"])
    }

    @Test("everyone hears the end, and nothing after it")
    func end() async {
        let feed = ChangeFeed()
        let listeners = [feed.listen(to: "a", as: .anonymous), feed.listen(to: "b", as: .anonymous)]
        feed.publish([.tools], to: "a")
        feed.end()
        feed.publish([.tools], to: "a")
        #expect(await drain(listeners[0]) == ["tools", "end"])
        #expect(await drain(listeners[1]) == ["end"])
    }

    @Test("a listener that is behind keeps what it has, and is not waited for")
    func behind() async {
        let feed = ChangeFeed()
        let listener = feed.listen(to: "a", as: .anonymous)
        for _ in 0..<1_000 { feed.publish([.tools], to: "a") }
        feed.leave(listener)
        let seen = await drain(listener)
        #expect(!seen.isEmpty && seen.count <= 16)
    }

    @Test("what upstreams say is kept up to a bound in bytes, and what is taken makes room")
    func bytesOfWords() async {
        let changes = ChangeFeed().listen(to: "a", as: .anonymous).changes
        let words = (0..<4).map { ChangeFeed.Change.asked([UInt8](repeating: UInt8(ascii: "a") + $0, count: 600 << 10)) }
        #expect(words[0..<3].map { changes.send($0) } == [true, true, false])
        #expect(changes.send(.tools), "what has no bytes of its own")
        #expect(await changes.next() == words[0])
        #expect(changes.send(words[3]))
        #expect(!changes.send(words[2]))
    }

    private func drain(_ listener: ChangeFeed.Listener) async -> [String] {
        var seen: [String] = []
        while let change = await listener.changes.next() { seen.append("\(change)") }
        return seen
    }
}
