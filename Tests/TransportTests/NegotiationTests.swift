import JSON
import MCPProtocol
import Testing

@testable import Transport

/// A program that reads nothing before it has started, which is when `initialize` comes; then it answers everything in order.
private final class SlowStarter: DuplexChannel {
    static let discovered = #"{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#
    static let initialized = #"{"protocolVersion":"2025-06-18","capabilities":{}}"#
    let pending = PendingCalls()
    private let speaksLegacy: Bool
    private let speaksModern: Bool

    init(modern: Bool, legacy: Bool) {
        speaksModern = modern
        speaksLegacy = legacy
    }

    func send(_ bytes: [UInt8]) async throws(UpstreamError) {
        guard let request = try? Message(scanning: bytes), request.method == .initialize, let id = request.idText.flatMap({ Int($0) }) else { return }
        answer(id - 1, speaksModern ? #""result":\#(Self.discovered)"# : #""error":{"code":-32601,"message":"no"}"#)
        answer(id, speaksLegacy ? #""result":\#(Self.initialized)"# : #""error":{"code":-32601,"message":"no"}"#)
    }

    private func answer(_ id: Int, _ outcome: String) {
        guard let message = try? message(#"{"jsonrpc":"2.0","id":\#(id),\#(outcome)}"#) else { return }
        _ = pending.route(message)
    }

    func close() async {}
}

@Suite("Finding out an upstream's era")
struct NegotiationTests {
    @Test(
        "one that starts slower than the probe waits is still what it is",
        arguments: [(true, false, Revision.latestModern), (false, true, Revision.v2025_06_18), (true, true, Revision.v2025_06_18)])
    func slowStart(modern: Bool, legacy: Bool, expected: Revision) async throws {
        let revision = try await onLoop { _ in
            let channel = SlowStarter(modern: modern, legacy: legacy)
            var limits = UpstreamLimits()
            limits.probeTime = .milliseconds(1)
            return try await StdioOpening.negotiate(channel, channel.pending, era: .automatic, declaring: [], transport: "stdio", limits: limits)
                .revision
        }
        #expect(revision == expected)
    }

    @Test("one that refuses both is told apart from one that is silent")
    func neither() async throws {
        await #expect(throws: UpstreamError.self) {
            try await onLoop { _ in
                let channel = SlowStarter(modern: false, legacy: false)
                var limits = UpstreamLimits()
                limits.probeTime = .milliseconds(1)
                return try await StdioOpening.negotiate(channel, channel.pending, era: .automatic, declaring: [], transport: "stdio", limits: limits)
                    .revision
            }
        }
    }
}
