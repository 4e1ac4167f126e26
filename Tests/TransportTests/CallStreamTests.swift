import Auth
import MCPProtocol
import Testing

@testable import Transport

@Suite struct CallStreamTests {
    private func session(_ revision: Revision = .v2025_11_25) throws -> Session {
        try Session(server: "team", caller: .anonymous, revision: revision, capabilities: [:], expires: .max)
    }

    private func text(_ events: [[UInt8]]) -> [String] {
        events.map { String(decoding: $0, as: UTF8.self).split(separator: "\n").last.map(String.init) ?? "" }
    }

    @Test func `A stream goes on after the event that its client saw last, and elsewhere`() async throws {
        let stream = try CallStream(of: session())
        #expect(stream.append(bytes("1")) != nil)
        #expect(stream.append(bytes("2")) != nil)
        #expect(text(stream.events(after: 0).events) == ["data: 1", "data: 2"])
        #expect(text(stream.events(after: 1).events) == ["data: 2"])
        #expect(stream.events(after: 9).events == [])
        let first = stream.takeUp()
        #expect(stream.append(bytes("3")) == nil)
        guard case .element = await first.next(within: .seconds(1)) else { throw Conversation.Silence() }
        let second = stream.takeUp()
        guard case .closed = await first.next(within: .seconds(1)) else { throw Conversation.Silence() }
        stream.finish()
        guard case .element = await second.next(within: .seconds(1)) else { throw Conversation.Silence() }
        let rest = stream.events(after: 2)
        #expect(text(rest.events) == ["data: 3"] && rest.last == 3 && rest.isFinished)
    }

    @Test func `What is kept of a stream is bounded, the oldest goes first`() throws {
        let stream = try CallStream(of: session())
        for number in 1...CallStream.eventsMax + 5 { _ = stream.append(bytes("\(number)")) }
        #expect(stream.events(after: 0).events.count == CallStream.eventsMax)
        #expect(text(stream.events(after: 0).events).first == "data: 6")
        _ = stream.append([UInt8](repeating: 0x20, count: CallStream.bytesMax))
        #expect(stream.events(after: 0).events == [] && stream.bytes == 0)
        #expect(stream.events(after: .max).events == [])
    }

    @Test func `A stream is taken up in its own session only`() throws {
        let (streams, mine, other) = (CallStreams(), try session(), try session())
        let stream = try #require(streams.open(for: mine))
        #expect(streams.find("\(stream.id).3", in: mine)?.number == 3)
        for event in ["\(stream.id).-1", stream.id, "\(stream.id).", "x.1", ""] { #expect(streams.find(event, in: mine) == nil) }
        #expect(streams.find("\(stream.id).3", in: other) == nil)
        streams.close(stream)
        #expect(streams.find("\(stream.id).3", in: mine) != nil)
    }

    @Test(arguments: [(Revision.v2025_03_26, false), (.v2025_06_18, false), (.v2025_11_25, true)])
    func `Only clients that know of it get an event without data first`(_ revision: Revision, _ expected: Bool) throws {
        #expect(try CallStream(of: session(revision)).isPrimed == expected)
    }
}
