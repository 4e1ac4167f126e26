import JSON
import MCPProtocol
import Synchronization
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

/// A server that refuses the first `server/discover` by revision, naming those it supports.
private final class Picky: DuplexChannel {
    let pending = PendingCalls()
    private let supported: String
    private let discoveries = Mutex(0)

    init(supports supported: [String]) { self.supported = String(decoding: JSONValue.array(supported.map { .string($0) }).bytes, as: UTF8.self) }

    func send(_ bytes: [UInt8]) async throws(UpstreamError) {
        guard let request = try? Message(scanning: bytes), let id = request.idText else { return }
        let refusal = #""error":{"code":-32022,"message":"no","data":{"supported":\#(supported)}}"#
        let isFirst =
            request.method == .discover
            && discoveries.withLock { count in
                count += 1
                return count == 1
            }
        let discovered = isFirst || !supported.contains("2026") ? refusal : #""result":\#(SlowStarter.discovered)"#
        let outcome = request.method == .discover ? discovered : #""result":\#(SlowStarter.initialized)"#
        if let message = try? message(#"{"jsonrpc":"2.0","id":\#(id),\#(outcome)}"#) { _ = pending.route(message) }
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

    @Test(
        "one that refuses our revision by what it supports is asked in one that both know",
        arguments: [
            (["2026-07-28"], Revision.latestModern), (["2099-01-01", "2026-07-28"], .latestModern), (["2025-06-18"], .v2025_06_18),
            (["2099-01-01"], nil),
        ])
    func picky(supported: [String], expected: Revision?) async throws {
        let revision = try await onLoop { _ -> Revision? in
            let channel = Picky(supports: supported)
            return try? await StdioOpening.negotiate(
                channel, channel.pending, era: .automatic, declaring: [], transport: "stdio", limits: UpstreamLimits()
            ).revision
        }
        #expect(revision == expected)
    }
}
