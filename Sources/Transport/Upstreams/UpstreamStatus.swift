import JSON

/// How an upstream is doing, for `/readyz`, `check --connect` and the log.
package struct UpstreamStatus: Sendable {
    package enum State: String, Sendable {
        /// Nobody has asked for it yet.
        case idle
        case connecting
        case up
        /// Not reachable; it is tried again by itself.
        case down
        /// It keeps ending soon after it starts; it is tried at long intervals only.
        case crashLooping = "crash-looping"
        case stopped
    }

    package var state = State.idle
    package var lastError: String?
    package var peer: UpstreamPeer?
    package var toolCount = 0

    package init() {}

    package var json: JSONValue {
        var value: JSONValue = ["state": .string(state.rawValue)]
        if let peer, state == .up {
            value["transport"] = .string(peer.transport)
            value["revision"] = .string(peer.revision.rawValue)
            value["tools"] = .number(String(toolCount))
        }
        value["last_error"] = lastError.map { .string($0) } ?? .null
        return value
    }
}
