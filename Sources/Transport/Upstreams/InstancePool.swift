import Network
import Synchronization

/// The instances of all upstreams that end when nobody uses them, counted: beyond the limits the one unused for longest makes room.
package final class InstancePool: Sendable {
    private let limits: UpstreamLimits
    private let loops: LoopGroup
    private let instances = Mutex<[ObjectIdentifier: Upstream]>([:])

    package init(limits: UpstreamLimits, loops: LoopGroup) {
        self.limits = limits
        self.loops = loops
    }

    /// Takes another one in; throws `.busy` where there are too many and all are at work.
    func enter(_ instance: Upstream) throws(UpstreamError) {
        let entered = instances.withLock { instances -> Result<Upstream?, UpstreamError> in
            let siblings = instances.values.filter { $0.name == instance.name }
            let isFull = siblings.count >= limits.instancesMax
            guard isFull || instances.count >= limits.instancesInAllMax else {
                instances[ObjectIdentifier(instance)] = instance
                return .success(nil)
            }
            guard let eldest = Self.claimEldest(of: isFull ? siblings : Array(instances.values)) else {
                let what = isFull ? "\(siblings.count) instances of it" : "\(instances.count) instances of upstreams"
                let key = isFull ? "upstream_instances" : "instances"
                return .failure(.busy("\(what) are all at work; `limits: { \(key) }` allows no more"))
            }
            instances[ObjectIdentifier(eldest)] = nil
            instances[ObjectIdentifier(instance)] = instance
            return .success(eldest)
        }
        if let eldest = try entered.get() { loops.next().task { await eldest.stop() } }
    }

    func leave(_ instance: Upstream) { instances.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(instance)) } }

    private static func claimEldest(of instances: [Upstream]) -> Upstream? {
        var idle = instances.compactMap { instance in instance.unusedSince.map { (instance, $0) } }
        while let index = idle.indices.min(by: { idle[$0].1 < idle[$1].1 }) {
            if idle[index].0.claimEnd() { return idle[index].0 }
            idle.remove(at: index)
        }
        return nil
    }
}
