/// Limits towards upstreams.
package struct UpstreamLimits: Sendable {
    package var replyBytesMax = 32 * 1024 * 1024
    /// Waiting to be taken by an upstream.
    package var queuedBytesMax = 8 * 1024 * 1024
    package var jsonDepthMax = 128
    package var listPagesMax = 100
    package var listLengthMax = 20_000
    /// To connect, negotiate and read the first list.
    package var openingTime = Duration.seconds(30)
    /// For the answer to `server/discover` before an upstream counts as legacy.
    package var probeTime = Duration.seconds(5)
    package var retryFirst = Duration.seconds(1)
    package var retryMax = Duration.seconds(30)
    /// A call's total time when progress keeps it alive.
    package var callTimeWithProgress = Duration.seconds(600)
    /// For the answers to what an upstream asks in mid-call.
    package var answerTime = Duration.seconds(600)
    /// Lists are read again after this long, since not every upstream announces changes.
    package var listAgeMax = Duration.seconds(300)
    /// The same for those that the upstream says are good for less, at least; only when they are asked for.
    package var listAgeMin = Duration.seconds(5)

    /// Instances of one upstream that end when unused; beyond it those unused for longest end.
    package var instancesMax = 1_000
    /// Those of one upstream that are one caller's alone.
    package var instancesOfCallerMax = 250
    /// Those of all upstreams together.
    package var instancesInAllMax = 4_000
    /// How long such an instance stays without use.
    package var instanceIdleTime = Duration.seconds(900)

    package init() {}
}
