/// One event of an event stream (WHATWG HTML §9.2).
package struct SSEEvent: Sendable, Equatable {
    /// The event's type; `message` when the stream named none.
    package var event: String
    /// The data lines, joined by LF.
    package var data: [UInt8]
    /// The id that came with this event, or nil; empty means that the last id was cleared.
    package var id: String?
    /// The reconnection time that came with this event, in milliseconds, or nil.
    package var retry: Int?

    /// Makes an event.
    package init(event: String = "message", data: [UInt8], id: String? = nil, retry: Int? = nil) {
        self.event = event
        self.data = data
        self.id = id
        self.retry = retry
    }
}
