import Foundation
import Synchronization

@testable import Auth

/// A clock that stands until it is told to go on.
final class TestClock: Sendable {
    private let start = ContinuousClock.now
    private let passed = Mutex(Duration.zero)

    func advance(_ time: Duration) { passed.withLock { $0 += time } }
    var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
    var date: Int { 1_800_000_000 + Int(passed.withLock { $0 }.components.seconds) }
}

/// A token endpoint of the test's own, and a clock.
final class TestServices: Sendable {
    typealias Answer = @Sendable (_ request: FetchRequest, _ form: [String: String]) throws(FetchFailure) -> (status: Int, body: String)

    let clock = TestClock()
    private let environment: [String: String]
    private let answer = Mutex<Answer?>(nil)
    private let asked = Mutex<[(request: FetchRequest, form: [String: String])]>([])

    init(environment: [String: String] = [:]) { self.environment = environment }

    var services: CredentialServices {
        CredentialServices(
            environment: environment,
            fetch: { [self] request throws(FetchFailure) in
                let form = Self.form(request.body)
                asked.withLock { $0.append((request, form)) }
                guard let answer = answer.withLock({ $0 }) else { throw FetchFailure("nobody there") }
                let (status, body) = try answer(request, form)
                return FetchResponse(status: status, fields: [("content-type", "application/json")], body: Array(body.utf8))
            }, background: { work in Task { await work() } }, now: { [clock] in clock.now }, date: { [clock] in clock.date })
    }

    func answers(_ answer: @escaping Answer) { self.answer.withLock { $0 = answer } }

    /// Every request so far.
    var requests: [(request: FetchRequest, form: [String: String])] { asked.withLock { $0 } }

    private static func form(_ body: [UInt8]) -> [String: String] {
        let pairs = String(decoding: body, as: UTF8.self).split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.replacing("+", with: " ").removingPercentEncoding ?? ""
            }
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
        return Dictionary(pairs) { _, last in last }
    }
}

func user(_ name: String, groups: Set<GroupName> = [], token: String? = nil, scopes: Set<String> = [], expires: Int = 1_800_003_600) -> Caller {
    Caller(
        .token(issuer: "https://login.example"), user: name, groups: groups, scopes: scopes,
        token: token.map { BearerToken(value: Secret($0), expires: expires, content: SHA256Digest(of: scopes.sorted().joined(separator: " "))) })
}

extension CredentialSource {
    /// What the upstream would get as a bearer token.
    func bearer(for caller: Caller = .anonymous) async throws -> String {
        let line = String(decoding: try await lines(for: caller), as: UTF8.self)
        return String(line.dropFirst("Authorization: Bearer ".count).dropLast(1))
    }
}
