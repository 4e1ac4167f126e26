/// The events of a response whose body is an event stream.
package final class SSEStream {
    private let response: HTTPClientResponse
    private var parser: SSEParser
    private var events: [SSEEvent] = []
    private var next = 0

    /// Reads the body of a response; an event may have `eventBytesMax` bytes.
    package init(_ response: HTTPClientResponse, eventBytesMax: Int = HTTPClientLimits().eventBytesMax) {
        self.response = response
        parser = SSEParser(eventBytesMax: eventBytesMax)
    }

    /// The last id that the stream set, for `Last-Event-ID`; empty when none.
    package var lastEventID: String { parser.lastEventID }

    /// The last reconnection time that the stream set, in milliseconds.
    package var retry: Int? { parser.retry }

    /// Returns the next event, or nil at the end of the stream.
    ///
    /// Comments do not count as events. Throws `.timedOut`, after which one may go on; `.tooLarge`, and what `chunk` throws.
    package func next(within limit: Duration?) async throws(NetworkError) -> SSEEvent? {
        let start = ContinuousClock.now
        while next == events.count {
            events.removeAll(keepingCapacity: true)
            next = 0
            let left = limit.map { $0 - start.duration(to: .now) }
            if let left, left <= .zero { throw NetworkError(.timedOut, "no event in time") }
            guard let chunk = try await response.chunk(within: left) else { return nil }
            do throws(HTTPFault) {
                try parser.feed(chunk) { events.append($0) }
            } catch {
                cancel()
                throw NetworkError(.tooLarge, error.text)
            }
        }
        defer { next += 1 }
        return events[next]
    }

    /// Closes the connection; harmless at any time, also while another task waits.
    package func cancel() { response.cancel() }
}
