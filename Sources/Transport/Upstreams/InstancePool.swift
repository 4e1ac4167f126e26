import Auth
import Network
import Synchronization

/// The instances of all upstreams that end when nobody uses them, counted: beyond the limits the one unused for longest makes room, of a
/// caller who has had a full share one of their own.
package final class InstancePool: Sendable {
    private struct Member {
        let instance: Upstream
        /// Whose it is alone; nil where callers share it.
        let holder: CallerIdentity?
    }

    /// Members that may be so many, and what is said where they are.
    private struct Bound {
        let countMax: Int
        let key: String
        let whose: String
        let covers: (Member) -> Bool
    }

    private let limits: UpstreamLimits
    private let loops: LoopGroup
    private let members = Mutex<[ObjectIdentifier: Member]>([:])

    package init(limits: UpstreamLimits, loops: LoopGroup) {
        self.limits = limits
        self.loops = loops
    }

    /// Takes another one in, `holder`'s alone or nobody's; throws `.busy` where there are too many and all are at work.
    func enter(_ instance: Upstream, of holder: CallerIdentity?) throws(UpstreamError) {
        let (ended, failure) = members.withLock { members -> ([Upstream], UpstreamError?) in
            var ended: [Upstream] = []
            for bound in bounds(for: instance.name, of: holder) {
                let covered = members.values.filter(bound.covers)
                guard covered.count >= bound.countMax else { continue }
                guard let eldest = Self.claimEldest(of: covered.map(\.instance)) else {
                    let text = "\(covered.count) instances of \(bound.whose) are all at work; `limits: { \(bound.key) }` allows no more"
                    return (ended, .busy(text))
                }
                members[ObjectIdentifier(eldest)] = nil
                ended.append(eldest)
            }
            members[ObjectIdentifier(instance)] = Member(instance: instance, holder: holder)
            return (ended, nil)
        }
        for instance in ended { loops.next().task { await instance.stop() } }
        if let failure { throw failure }
    }

    func leave(_ instance: Upstream) { members.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(instance)) } }

    /// The narrowest first, so that room is made where there is none.
    private func bounds(for name: String, of holder: CallerIdentity?) -> [Bound] {
        let all = [
            Bound(countMax: limits.instancesMax, key: "upstream_instances", whose: "it") { $0.instance.name == name },
            Bound(countMax: limits.instancesInAllMax, key: "instances", whose: "upstreams") { _ in true },
        ]
        guard let holder else { return all }
        let share = Bound(countMax: limits.instancesOfCallerMax, key: "upstream_instances_per_caller", whose: "it for one caller") {
            $0.holder == holder && $0.instance.name == name
        }
        return [share] + all
    }

    private static func claimEldest(of instances: [Upstream]) -> Upstream? {
        var idle = instances.compactMap { instance in instance.unusedSince.map { (instance, $0) } }
        while let index = idle.indices.min(by: { idle[$0].1 < idle[$1].1 }) {
            if idle[index].0.claimEnd() { return idle[index].0 }
            idle.remove(at: index)
        }
        return nil
    }
}
