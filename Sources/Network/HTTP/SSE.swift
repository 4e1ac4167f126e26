/// Writes event streams (WHATWG HTML §9.2).
package enum SSE {
    /// The media type of event streams.
    package static let contentType: StaticString = "text/event-stream"

    /// The bytes of one event; data with line ends in it is sent as several data lines, which the reader joins with LF.
    ///
    /// Line ends and NUL in `event` and `id` are left out, so that neither can forge a field.
    package static func frame(data: [UInt8], event: String? = nil, id: String? = nil, retry: Int? = nil) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(data.count + (event?.utf8.count ?? 0) + (id?.utf8.count ?? 0) + 64)
        if let event { append("event: ", event, to: &frame) }
        if let id { append("id: ", id, to: &frame) }
        if let retry { append("retry: ", String(retry), to: &frame) }
        frame.append(contentsOf: "data: ".utf8)
        if data.contains(where: { $0 == ASCII.lf || $0 == ASCII.cr }) {
            appendLines(data, to: &frame)
        } else {
            frame.append(contentsOf: data)
        }
        frame.append(ASCII.lf)
        frame.append(ASCII.lf)
        return frame
    }

    /// The bytes of a comment, which readers skip; keeps a quiet stream alive.
    package static func comment(_ text: String = "") -> [UInt8] {
        var frame: [UInt8] = []
        append(text.isEmpty ? ":" : ": ", text, to: &frame)
        frame.append(ASCII.lf)
        return frame
    }

    private static func append(_ name: String, _ value: String, to frame: inout [UInt8]) {
        frame.append(contentsOf: name.utf8)
        for byte in value.utf8 where byte != ASCII.lf && byte != ASCII.cr && byte != ASCII.nul { frame.append(byte) }
        frame.append(ASCII.lf)
    }

    private static func appendLines(_ data: [UInt8], to frame: inout [UInt8]) {
        var previous: UInt8 = 0
        for byte in data {
            if byte == ASCII.cr || (byte == ASCII.lf && previous != ASCII.cr) {
                frame.append(contentsOf: "\ndata: ".utf8)
            } else if byte != ASCII.lf {
                frame.append(byte)
            }
            previous = byte
        }
    }
}
