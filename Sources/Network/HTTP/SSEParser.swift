/// Takes an event stream apart, whatever pieces it comes in (WHATWG HTML §9.2.6).
package struct SSEParser: Sendable {
    /// The last id that the stream set, for `Last-Event-ID`; empty when none.
    package private(set) var lastEventID = ""
    /// The last reconnection time that the stream set, in milliseconds; also of blocks without data.
    package private(set) var retry: Int?

    private let eventBytesMax: Int
    private var line: [UInt8] = []
    private var lastWasCR = false
    private var isFirstLine = true
    private var event = SSEEvent(event: "", data: [])
    private var hasData = false

    /// Makes a parser; an event (or a line) may have `eventBytesMax` bytes.
    package init(eventBytesMax: Int) { self.eventBytesMax = eventBytesMax }

    /// Reads more of the stream and calls with each event that is complete; throws when an event is too large.
    package mutating func feed(_ bytes: [UInt8], _ emit: (SSEEvent) -> Void) throws(HTTPFault) {
        try bytes.withUnsafeBufferPointer { bytes throws(HTTPFault) in try feed(UnsafeRawBufferPointer(bytes), emit) }
    }

    /// Reads more of the stream and calls with each event that is complete; throws when an event is too large.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ emit: (SSEEvent) -> Void) throws(HTTPFault) {
        var start = 0
        if lastWasCR, let first = bytes.first {
            lastWasCR = false
            if first == ASCII.lf { start = 1 }
        }
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == ASCII.lf || byte == ASCII.cr else {
                position += 1
                continue
            }
            try endLine(UnsafeRawBufferPointer(rebasing: bytes[start..<position]), emit)
            position += 1
            if byte == ASCII.cr {
                if position == bytes.count {
                    lastWasCR = true
                } else if bytes[position] == ASCII.lf {
                    position += 1
                }
            }
            start = position
        }
        guard start < bytes.count else { return }
        try checkSize(line.count + bytes.count - start)
        line.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }

    private mutating func endLine(_ piece: UnsafeRawBufferPointer, _ emit: (SSEEvent) -> Void) throws(HTTPFault) {
        guard !line.isEmpty else { return try takeLine(piece, emit) }
        try checkSize(line.count + piece.count)
        line.append(contentsOf: piece)
        let whole = line
        line.removeAll(keepingCapacity: whole.count <= 4096)
        try whole.withUnsafeBufferPointer { bytes throws(HTTPFault) in try takeLine(UnsafeRawBufferPointer(bytes), emit) }
    }

    private mutating func takeLine(_ wholeLine: UnsafeRawBufferPointer, _ emit: (SSEEvent) -> Void) throws(HTTPFault) {
        var bytes = wholeLine
        if isFirstLine {
            isFirstLine = false
            if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = UnsafeRawBufferPointer(rebasing: bytes[3...]) }
        }
        guard !bytes.isEmpty else { return dispatch(emit) }
        let colon = bytes.firstIndex(of: ASCII.colon) ?? bytes.count
        guard colon > 0 else { return }
        var valueStart = min(colon + 1, bytes.count)
        if valueStart < bytes.count, bytes[valueStart] == ASCII.space { valueStart += 1 }
        try takeField(
            UnsafeRawBufferPointer(rebasing: bytes[..<colon]), UnsafeRawBufferPointer(rebasing: bytes[valueStart...]))
    }

    private mutating func takeField(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(HTTPFault) {
        if name.elementsEqual("data".utf8) {
            try checkSize(event.data.count + value.count + 1)
            if hasData { event.data.append(ASCII.lf) }
            event.data.append(contentsOf: value)
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            event.event = String(decoding: value, as: UTF8.self)
        } else if name.elementsEqual("id".utf8) {
            guard !value.contains(ASCII.nul) else { return }
            lastEventID = String(decoding: value, as: UTF8.self)
            event.id = lastEventID
        } else if name.elementsEqual("retry".utf8) {
            guard !value.isEmpty, value.count <= 9, value.allSatisfy(ASCII.isDigit) else { return }
            retry = value.reduce(0) { $0 * 10 + Int($1 &- 48) }
            event.retry = retry
        }
    }

    private mutating func dispatch(_ emit: (SSEEvent) -> Void) {
        var finished = SSEEvent(event: "", data: [])
        swap(&finished, &event)
        guard hasData else { return }
        hasData = false
        if finished.event.isEmpty { finished.event = "message" }
        emit(finished)
    }

    private func checkSize(_ count: Int) throws(HTTPFault) {
        guard count <= eventBytesMax else { throw HTTPFault(413, "An event is larger than \(eventBytesMax) bytes.") }
    }
}
