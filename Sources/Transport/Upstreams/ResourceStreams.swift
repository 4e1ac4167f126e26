import Auth
import Synchronization

/// A stream on which a modern upstream tells of resources.
package struct ResourceStream: Sendable {
    /// Those of which it has agreed to tell.
    let heard: Set<String>
    let end: @Sendable () async -> Void
}

/// The streams of one link to a modern upstream: as few as will do, none of them so large that a change is dear.
///
/// Used by one task at a time.
final class ResourceStreams: Sendable {
    /// Changes that are made at once.
    static let stepsMax = 200
    private static let urisMax = 500
    private static let bytesMax = 256 << 10

    private struct Group: Sendable {
        var uris: Set<String> = []
        var stream: ResourceStream?

        var bytes: Int { uris.reduce(0) { $0 + $1.utf8.count } }
    }

    private typealias Wish = (uri: String, caller: CallerIdentity)

    private let link: any UpstreamLink
    private let groups = Mutex<[Int: Group]>([:])

    init(over link: any UpstreamLink) { self.link = link }

    /// Makes the streams follow; for each step whether it was taken.
    func take(_ steps: [WatchPlan.Step]) async -> [(step: WatchPlan.Step, isTaken: Bool)] {
        var wishes: [Wish] = []
        var unwanted: Set<String> = []
        for step in steps {
            switch step {
            case .subscribe(let uri, let caller): wishes.append((uri, caller))
            case .unsubscribe(let uri): unwanted.insert(uri)
            }
        }
        await leave(unwanted)
        var heard: Set<String> = []
        while !wishes.isEmpty {
            let (number, count) = place(for: wishes)
            heard.formUnion(await join(number, Array(wishes.prefix(count))))
            wishes.removeFirst(count)
        }
        return steps.map { step in
            if case .subscribe(let uri, _) = step { (step, heard.contains(uri)) } else { (step, true) }
        }
    }

    /// The stream with room for some of them, or a new one, and for how many, at least one.
    private func place(for wishes: [Wish]) -> (number: Int, count: Int) {
        let groups = groups.withLock { $0 }
        let number = groups.keys.sorted().first { Self.room(in: groups[$0], for: wishes) > 0 }
        if let number { return (number, Self.room(in: groups[number], for: wishes)) }
        return ((groups.keys.max() ?? 0) + 1, max(1, Self.room(in: nil, for: wishes)))
    }

    private static func room(in group: Group?, for wishes: [Wish]) -> Int {
        var (uris, bytes) = (group?.uris.count ?? 0, group?.bytes ?? 0)
        return wishes.prefix { wish in
            uris += 1
            bytes += wish.uri.utf8.count
            return uris <= urisMax && bytes <= bytesMax
        }.count
    }

    /// What comes to be heard of; should the upstream refuse all, each caller's wishes are tried by themselves, so that nobody spoils another's.
    private func join(_ number: Int, _ wishes: [Wish]) async -> Set<String> {
        let uris = Set(wishes.map(\.uri))
        let (before, next) = groups.withLock { groups in (groups[number]?.uris ?? [], (groups.keys.max() ?? number) + 1) }
        do throws(UpstreamError) {
            return try await open(number, before.union(uris)).intersection(uris)
        } catch {
            let callers = Dictionary(grouping: wishes, by: \.caller).values
            if case .timedOut = error { return [] }
            guard callers.count > 1 || !before.isEmpty else { return [] }
            var heard: Set<String> = []
            for (offset, wishes) in callers.enumerated() {
                let uris = Set(wishes.map(\.uri))
                heard.formUnion((try? await open(next + offset, uris)) ?? [])
            }
            return heard
        }
    }

    private func leave(_ unwanted: Set<String>) async {
        let groups = groups.withLock { $0 }
        for (number, group) in groups where !group.uris.isDisjoint(with: unwanted) {
            let rest = group.uris.subtracting(unwanted)
            if rest.isEmpty {
                self.groups.withLock { _ = $0.removeValue(forKey: number) }
                await group.stream?.end()
            } else {
                // Where that fails the old one goes on, and tells more than anybody wants to know.
                _ = try? await open(number, rest)
            }
        }
    }

    /// The old one ends once the new one is there, so that nothing is missed.
    private func open(_ number: Int, _ uris: Set<String>) async throws(UpstreamError) -> Set<String> {
        let stream = try await link.listen(to: uris.sorted())
        let last = groups.withLock { groups in
            let last = groups[number]?.stream
            groups[number] = stream.heard.isEmpty ? nil : Group(uris: stream.heard, stream: stream)
            return last
        }
        await last?.end()
        if stream.heard.isEmpty { await stream.end() }
        return stream.heard
    }
}
