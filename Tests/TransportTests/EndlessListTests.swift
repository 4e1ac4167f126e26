import Diagnostics
import JSON
import MCPProtocol
import Synchronization
import Testing

@testable import Transport

/// An upstream that has a next page for every page.
private final class EndlessLink: UpstreamLink {
    let peer = UpstreamPeer(revision: .latestModern, transport: "test", capabilities: ["tools": [:]], serverInfo: nil, instructions: nil)
    private let cursor: @Sendable (Int) -> String
    private let asked = Mutex(0)

    /// `cursor` makes the cursor behind each page, counted from 1.
    init(cursor: @escaping @Sendable (Int) -> String) { self.cursor = cursor }

    var pagesAsked: Int { asked.withLock { $0 } }

    func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        let page = asked.withLock { count in
            count += 1
            return count
        }
        let tool: JSONValue = ["name": .string("tool-\(page)"), "inputSchema": ["type": "object"]]
        let answer: JSONValue = ["jsonrpc": "2.0", "id": 1, "result": ["tools": [tool], "nextCursor": .string(cursor(page))]]
        guard let message = try? Message(scanning: answer.bytes) else { throw .violation("the test's own message") }
        return message
    }

    func listen(to resources: [String]) async throws(UpstreamError) -> ResourceStream { ResourceStream(heard: [], end: {}) }
    func notify(_ bytes: [UInt8]) async {}
    func close() async {}
}

@Suite struct EndlessListTests {
    private var limits: UpstreamLimits {
        var limits = UpstreamLimits()
        limits.listPagesMax = 7
        return limits
    }

    @Test func `A list whose pages never end is read up to the limit, and what was read is used`() async throws {
        let link = EndlessLink { "page \($0)" }
        let tools = try await link.offer(limits: limits, log: Log("endless")).tools
        #expect(tools.map(\.name) == (1...7).map { "tool-\($0)" })
        #expect(link.pagesAsked == 7)
    }

    @Test func `A cursor that leads to itself ends the list`() async throws {
        let link = EndlessLink { _ in "again" }
        #expect(try await link.offer(limits: limits, log: Log("endless")).tools.count == 2)
    }

    @Test func `A list of too many tools ends`() async throws {
        var limits = limits
        limits.listLengthMax = 3
        let link = EndlessLink { "page \($0)" }
        #expect(try await link.offer(limits: limits, log: Log("endless")).tools.count == 3)
    }
}
