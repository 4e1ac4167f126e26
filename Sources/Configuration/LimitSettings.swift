/// Every limit of the gateway, each a key under `limits:`.
package struct LimitSettings: Hashable, Sendable {
    package var requestHeaderBytesMax = 16 << 10
    package var requestHeaderTime = Duration.seconds(10)
    package var requestBodyBytesMax = 4 << 20
    package var requestBodyTime = Duration.seconds(30)
    package var upstreamReplyBytesMax = 32 << 20
    package var jsonDepthMax = 128
    /// How long a connection may stay without a request.
    package var idleTime = Duration.seconds(75)
    /// A call's limit, counted anew on progress.
    package var callTime = Duration.seconds(60)
    /// A call's limit however often it reports progress.
    package var callTimeWithProgress = Duration.seconds(600)
    /// How long a question that an upstream asks in mid-call may wait for its answer; the call's other limits don't count meanwhile.
    package var answerTime = Duration.seconds(600)
    /// Calls that wait at legacy upstreams for modern clients to come back with answers, in all and of one caller.
    package var parkedCallsMax = 1_000
    package var parkedCallsOfCallerMax = 100
    /// Resources that clients watch, in all and of one caller, each counted for every client.
    package var watchesMax = 50_000
    package var watchesOfCallerMax = 5_000
    /// The longest silence on a stream to a client.
    package var heartbeat = Duration.seconds(15)
    /// How long a session's id is good, from its beginning on.
    package var sessionTime = Duration.seconds(7 * 86_400)
    /// Entries of a list in one page to a client.
    package var listPage = 1_000
    /// Pages of a list read from an upstream.
    package var upstreamPagesMax = 100
    package var connectionsMax = 10_000
    /// Bytes that wait for a slow reader before its connection is closed.
    package var queuedBytesMax = 1 << 20
    /// When an upstream that is down is tried first; the wait doubles from there.
    package var reconnectFirst = Duration.seconds(1)
    package var reconnectMax = Duration.seconds(30)
    /// Instances of one upstream, beyond the one that lists come from.
    package var upstreamInstancesMax = 1_000
    /// Those of them that are one caller's alone; 0 is a quarter.
    package var upstreamInstancesOfCallerMax = 0
    /// Instances of all upstreams together.
    package var instancesMax = 4_000
    /// How long such an instance stays without use.
    package var instanceIdleTime = Duration.seconds(900)
    /// What calls in flight get at shutdown.
    package var drainTime = Duration.seconds(10)

    package init() {}

    /// How many instances of one upstream may be one caller's alone.
    package var upstreamInstancesShare: Int {
        upstreamInstancesOfCallerMax > 0 ? upstreamInstancesOfCallerMax : max(1, upstreamInstancesMax / 4)
    }
}

extension LimitSettings {
    /// One key under `limits:`, its member and the range that makes sense.
    package struct Key: Sendable {
        package enum Kind: Sendable {
            case time(any WritableKeyPath<LimitSettings, Duration> & Sendable, ClosedRange<Duration>)
            case bytes(any WritableKeyPath<LimitSettings, Int> & Sendable, ClosedRange<Int>)
            case count(any WritableKeyPath<LimitSettings, Int> & Sendable, ClosedRange<Int>)
        }

        package let name: String
        package let kind: Kind
    }

    /// All keys, in the order of the documentation.
    package static let keys: [Key] = [
        Key(name: "request_header_bytes", kind: .bytes(\.requestHeaderBytesMax, 1_024...65_535)),
        Key(name: "request_header_time", kind: .time(\.requestHeaderTime, .milliseconds(10) ... .seconds(600))),
        Key(name: "request_body_bytes", kind: .bytes(\.requestBodyBytesMax, 1_024...1 << 30)),
        Key(name: "request_body_time", kind: .time(\.requestBodyTime, .milliseconds(10) ... .seconds(3_600))),
        Key(name: "upstream_reply_bytes", kind: .bytes(\.upstreamReplyBytesMax, 1_024...1 << 30)),
        Key(name: "json_depth", kind: .count(\.jsonDepthMax, 8...512)),
        Key(name: "idle_time", kind: .time(\.idleTime, .milliseconds(10) ... .seconds(86_400))),
        Key(name: "call_time", kind: .time(\.callTime, .milliseconds(10) ... .seconds(86_400))),
        Key(name: "call_time_with_progress", kind: .time(\.callTimeWithProgress, .milliseconds(10) ... .seconds(86_400))),
        Key(name: "answer_time", kind: .time(\.answerTime, .milliseconds(10) ... .seconds(86_400))),
        Key(name: "parked_calls", kind: .count(\.parkedCallsMax, 0...1_000_000)),
        Key(name: "parked_calls_per_caller", kind: .count(\.parkedCallsOfCallerMax, 0...1_000_000)),
        Key(name: "watches", kind: .count(\.watchesMax, 0...1_000_000)),
        Key(name: "watches_per_caller", kind: .count(\.watchesOfCallerMax, 0...1_000_000)),
        Key(name: "heartbeat", kind: .time(\.heartbeat, .milliseconds(10) ... .seconds(3_600))),
        Key(name: "session_time", kind: .time(\.sessionTime, .seconds(1) ... .seconds(90 * 86_400))),
        Key(name: "list_page", kind: .count(\.listPage, 1...100_000)),
        Key(name: "upstream_pages", kind: .count(\.upstreamPagesMax, 1...10_000)),
        Key(name: "connections", kind: .count(\.connectionsMax, 1...1_000_000)),
        Key(name: "queued_bytes", kind: .bytes(\.queuedBytesMax, 1_024...1 << 30)),
        Key(name: "reconnect_first", kind: .time(\.reconnectFirst, .milliseconds(10) ... .seconds(3_600))),
        Key(name: "reconnect_max", kind: .time(\.reconnectMax, .milliseconds(10) ... .seconds(3_600))),
        Key(name: "upstream_instances", kind: .count(\.upstreamInstancesMax, 1...100_000)),
        Key(name: "upstream_instances_per_caller", kind: .count(\.upstreamInstancesOfCallerMax, 0...100_000)),
        Key(name: "instances", kind: .count(\.instancesMax, 1...100_000)),
        Key(name: "instance_idle_time", kind: .time(\.instanceIdleTime, .milliseconds(10) ... .seconds(86_400))),
        Key(name: "drain_time", kind: .time(\.drainTime, .zero ... .seconds(3_600))),
    ]
}
