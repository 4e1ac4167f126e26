import Auth
import MCPProtocol
import Network
import Synchronization

/// What was sent on the stream of one call, kept for a while: a client whose connection broke goes on where it was
/// (MCP 2025-11-25 basic/transports, "Resumability and Redelivery").
///
/// One connection at a time carries it: the call's own, until another takes it up.
final class CallStream: Sendable {
    static let eventsMax = 512
    static let bytesMax = 4 << 20

    private struct State {
        /// The events that are kept, the first of them with this number.
        var first = 1
        var events: [[UInt8]] = []
        var bytes = 0
        var isFinished = false
        var reader: Mailbox<Bool>?
    }

    let id: String
    /// The key of the session that it belongs to.
    let session: String
    /// Whether it begins with an event that has an id and nothing else, so that the client can come back from the start (since 2025-11-25).
    let isPrimed: Bool
    private let state = Mutex(State())

    init(of session: Session) throws(Seal.Failure) {
        id = "c" + Base64.encodeURL(try Seal.random(12))
        self.session = session.key
        isPrimed = session.revision >= .v2025_11_25
    }

    /// The event with no data that comes first.
    var priming: [UInt8] { SSE.frame(data: [], id: "\(id).0", retry: EventIDs.retry) }

    /// Takes one message; its event for the call's own connection, nil where another carries the stream by now.
    func append(_ message: [UInt8]) -> [UInt8]? {
        let (frame, reader) = state.withLock { state in
            let frame = SSE.frame(data: message, id: "\(id).\(state.first + state.events.count)")
            state.events.append(frame)
            state.bytes += frame.count
            while state.events.count > Self.eventsMax || state.bytes > Self.bytesMax, !state.events.isEmpty {
                state.bytes -= state.events.removeFirst().count
                state.first += 1
            }
            return (frame, state.reader)
        }
        guard let reader else { return frame }
        _ = reader.send(true)
        return nil
    }

    /// Nothing comes any more.
    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            return state.reader
        }
        reader?.send(true)
    }

    /// Whether another connection than the call's own carries it.
    var isTakenUp: Bool { state.withLock { $0.reader != nil } }

    /// From now on it is carried elsewhere: who holds the mailbox hears there that there is more, until the next one takes it up.
    func takeUp() -> Mailbox<Bool> {
        let reader = Mailbox<Bool>(capacity: 1)
        state.withLock { state in
            defer { state.reader = reader }
            return state.reader
        }?.close()
        return reader
    }

    /// The events after that one, the number of the last, and whether that was all.
    func events(after number: Int) -> (events: [[UInt8]], last: Int, isFinished: Bool) {
        state.withLock { state in
            // The number is the client's word.
            let last = state.first + state.events.count - 1
            let skipped = number >= last ? state.events.count : max(number - state.first + 1, 0)
            return (Array(state.events[skipped...]), max(number, last), state.isFinished)
        }
    }

    var bytes: Int { state.withLock { $0.bytes } }
}

/// The streams of calls that can be taken up, for as long as their calls run and a while longer; bounded in number, bytes and time.
final class CallStreams: Sendable {
    static let countMax = 4_096
    static let bytesMax = 64 << 20
    static let keptFor = Duration.seconds(60)

    private struct State {
        var byID: [String: CallStream] = [:]
        /// In the order in which they ended.
        var ended: [(stream: CallStream, at: ContinuousClock.Instant)] = []
        var endedBytes = 0

        mutating func removeEldest() {
            let (stream, _) = ended.removeFirst()
            endedBytes -= stream.bytes
            byID[stream.id] = nil
        }
    }

    private let state = Mutex(State())

    /// A stream for a call of that session; nil where there are too many.
    func open(for session: Session) -> CallStream? {
        guard let stream = try? CallStream(of: session) else { return nil }
        return state.withLock { state in
            Self.dropOld(&state)
            if state.byID.count >= Self.countMax, !state.ended.isEmpty { state.removeEldest() }
            guard state.byID.count < Self.countMax else { return nil }
            state.byID[stream.id] = stream
            return stream
        }
    }

    /// The call is over; what was sent stays for a while.
    func close(_ stream: CallStream) {
        stream.finish()
        state.withLock { state in
            guard state.byID[stream.id] != nil else { return }
            state.ended.append((stream, .now))
            state.endedBytes += stream.bytes
            Self.dropOld(&state)
        }
    }

    /// The stream that a `Last-Event-ID` names and the event's number; nil where there is none in that session.
    func find(_ event: String, in session: Session) -> (stream: CallStream, number: Int)? {
        guard let dot = event.lastIndex(of: "."), let number = Int(event[event.index(after: dot)...]), number >= 0,
            let stream = state.withLock({ $0.byID[String(event[..<dot])] }), stream.session == session.key
        else { return nil }
        return (stream, number)
    }

    private static func dropOld(_ state: inout State) {
        while let eldest = state.ended.first, state.endedBytes > bytesMax || .now - eldest.at > keptFor { state.removeEldest() }
    }
}
