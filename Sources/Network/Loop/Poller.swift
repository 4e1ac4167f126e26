/// What a poller says about a descriptor.
struct Readiness: OptionSet, Sendable {
    let rawValue: UInt32
    static let readable = Readiness(rawValue: 1)
    static let writable = Readiness(rawValue: 2)
    /// The other side has closed its half, or the descriptor has failed; comes with `readable`.
    static let hungUp = Readiness(rawValue: 4)
    /// Asked for at registration: report again as long as the condition holds, not only when it begins.
    static let level = Readiness(rawValue: 8)
}

/// Something with a descriptor on a loop.
protocol Pollable: AnyObject {
    /// The descriptor may now take these operations; on the loop.
    func ready(_ readiness: Readiness)
    /// The loop ends: let go of everything and wake whoever waits.
    func loopEnds()
}

/// The descriptors of a loop, by number. A token is the number and a generation, so that an event that was
/// collected before its descriptor was closed and reused goes nowhere.
struct PollTable {
    private struct Entry {
        var generation: UInt32 = 0
        var pollable: (any Pollable)?
    }

    private var entries: [Entry] = []

    mutating func insert(_ pollable: any Pollable, at descriptor: Int32) -> UInt64 {
        let index = Int(descriptor)
        while entries.count <= index { entries.append(Entry()) }
        entries[index].generation &+= 1
        entries[index].pollable = pollable
        return UInt64(entries[index].generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    mutating func remove(_ descriptor: Int32) {
        guard Int(descriptor) < entries.count else { return }
        entries[Int(descriptor)].pollable = nil
    }

    func pollable(of token: UInt64) -> (any Pollable)? {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < entries.count, entries[index].generation == UInt32(token >> 32) else { return nil }
        return entries[index].pollable
    }

    var all: [any Pollable] { entries.compactMap(\.pollable) }
}
