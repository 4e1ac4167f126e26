import Gateway
import Network

/// How long a command that ends by itself waits for upstreams, and what it says meanwhile on standard error.
struct Patience {
    private static let silentTime = Duration.seconds(3)
    private static let timeForAll = Duration.seconds(10)

    private let gateway: Gateway
    private let names: [String]
    private let someWillDo: Bool

    /// With `someWillDo` it goes on after ten seconds without those that have not answered, once another has.
    init(_ gateway: Gateway, names: [String], someWillDo: Bool = false) {
        self.gateway = gateway
        self.names = names
        self.someWillDo = someWillDo
    }

    /// What came of connecting, or nil where it was not waited for to its end.
    func wait<Outcome: Sendable>(on loop: EventLoop, _ connect: @escaping @Sendable () async -> Outcome) async -> Outcome? {
        let done = Mailbox<Outcome>(capacity: 1)
        loop.task { _ = done.send(await connect()) }
        if case .element(let outcome) = await done.next(within: Self.silentTime) { return outcome }
        let waiting = gateway.states(of: names).filter { $0.state == .connecting }.map(\.upstream)
        if !waiting.isEmpty { printError("waiting for \(waiting.joined(separator: ", ")) …") }
        guard someWillDo else { return await done.next() }
        var time = Self.timeForAll - Self.silentTime
        while true {
            switch await done.next(within: time) {
            case .element(let outcome): return outcome
            case .closed: return nil
            case .timedOut:
                if gateway.states(of: names).contains(where: { $0.state == .up }) { return nil }
                time = .seconds(1)
            }
        }
    }
}
