/// Reads `limits:`; what is wrong keeps its default.
func readLimits(_ node: YAMLNode?, _ findings: inout Findings) -> LimitSettings {
    var limits = LimitSettings()
    guard let node, let section = Section(node, "`limits`", .init(known: LimitSettings.keys.map(\.name)), &findings) else { return limits }
    for key in LimitSettings.keys {
        guard let value = section[key.name] else { continue }
        switch key.kind {
        case .time(let member, let range):
            if let time = value.time(key.name, range, &findings) { limits[keyPath: member] = time }
        case .bytes(let member, let range):
            if let bytes = value.size(key.name, range, &findings) { limits[keyPath: member] = bytes }
        case .count(let member, let range):
            if let count = value.count(key.name, range, &findings) { limits[keyPath: member] = count }
        }
    }
    if limits.reconnectFirst > limits.reconnectMax {
        findings.add(
            "`reconnect_first` (\(spelled(limits.reconnectFirst))) is longer than `reconnect_max` (\(spelled(limits.reconnectMax)))",
            at: section.position(of: "reconnect_first"), fix: "make it shorter")
    }
    if limits.callTime > limits.callTimeWithProgress {
        findings.add(
            "`call_time` (\(spelled(limits.callTime))) is longer than `call_time_with_progress` (\(spelled(limits.callTimeWithProgress)))",
            at: section.position(of: "call_time"), fix: "make it shorter, or raise the other")
    }
    return limits
}

extension YAMLNode {
    /// A time with its unit, within `range`.
    func time(_ name: String, _ range: ClosedRange<Duration>, _ findings: inout Findings) -> Duration? {
        guard let text = scalar?.text, let time = duration(text) else {
            let fix = if case .integer(let number) = scalar?.kind { "write the unit: \(number)s" } else { "write 30s, 500ms, 10m or 1h" }
            findings.add("`\(name)` must be a time such as 30s, not \(found)", at: position, fix: fix)
            return nil
        }
        guard range.contains(time) else {
            findings.add(
                "`\(name)` is out of range: \(spelled(time))", at: position,
                fix: "write something from \(spelled(range.lowerBound)) to \(spelled(range.upperBound))")
            return nil
        }
        return time
    }

    /// A size, plain numbers being bytes, within `range`.
    func size(_ name: String, _ range: ClosedRange<Int>, _ findings: inout Findings) -> Int? {
        guard let text = scalar?.text, let size = byteCount(text) else {
            findings.add("`\(name)` must be a size such as 4MiB, not \(found)", at: position, fix: "write 300B, 16KiB, 4MiB or a number of bytes")
            return nil
        }
        guard range.contains(size) else {
            findings.add(
                "`\(name)` is out of range: \(spelled(bytes: size))", at: position,
                fix: "write something from \(spelled(bytes: range.lowerBound)) to \(spelled(bytes: range.upperBound))")
            return nil
        }
        return size
    }

    /// A whole number within `range`.
    func count(_ name: String, _ range: ClosedRange<Int>, _ findings: inout Findings) -> Int? {
        guard case .integer(let text) = scalar?.kind, let count = Int(text), range.contains(count) else {
            let isQuoted = scalar?.kind == .string && scalar.flatMap { Int($0.text) } != nil
            findings.add(
                "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(found)", at: position,
                fix: isQuoted ? "write such a number without quotes" : "write one in that range")
            return nil
        }
        return count
    }
}
