import Testing

@testable import Network

@Suite struct SSETests {
    private func parse(_ pieces: [[UInt8]], eventBytesMax: Int = 1000) throws -> [SSEEvent] {
        var parser = SSEParser(eventBytesMax: eventBytesMax)
        var events: [SSEEvent] = []
        for piece in pieces { try parser.feed(piece) { events.append($0) } }
        return events
    }

    private func event(_ data: String, _ name: String = "message", id: String? = nil, retry: Int? = nil) -> SSEEvent {
        SSEEvent(event: name, data: Array(data.utf8), id: id, retry: retry)
    }

    static let stream =
        "\u{feff}: hello\r\ndata: a\r\ndata:b\rdata:  c\n\nevent: x\rid: 7\r\rdata\n\nid: 8\r\nretry: 20\r\nevent:y\r\ndata: {}\r\n\r\nnodata: 1\n\nretry: x\ndata:z\n\ndata: lost"

    @Test func streamsAreReadAsTheStandardSays() throws {
        let events = try parse([Array(Self.stream.utf8)])
        #expect(events == [event("a\nb\n c"), event(""), event("{}", "y", id: "8", retry: 20), event("z")])
    }

    @Test func everySplitReadsTheSame() throws {
        let bytes = Array(Self.stream.utf8)
        let whole = try parse([bytes])
        for first in 0...bytes.count {
            #expect(try parse([Array(bytes[..<first]), Array(bytes[first...])]) == whole)
            for second in stride(from: first, through: bytes.count, by: 7) {
                #expect(try parse([Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]) == whole)
            }
        }
        #expect(try parse(bytes.map { [$0] }) == whole)
    }

    @Test func idsAndRetriesOutliveBlocksWithoutData() throws {
        var parser = SSEParser(eventBytesMax: 100)
        try parser.feed(Array("id: 4\nretry: 500\n\nid: a\0b\n\n".utf8)) { _ in Issue.record("no event was due") }
        #expect(parser.lastEventID == "4")
        #expect(parser.retry == 500)
    }

    @Test(arguments: ["data: ", ": ", "event: ", ""])
    func endlessLinesAreRefused(prefix: String) {
        #expect(throws: HTTPFault.self) { try parse([Array(prefix.utf8)] + Array(repeating: Array("aaaaaaaaaa".utf8), count: 101)) }
    }

    @Test func endlessEventsAreRefused() {
        #expect(throws: HTTPFault.self) { try parse(Array(repeating: Array("data: aaaaaaaaaa\n".utf8), count: 100)) }
    }

    @Test(arguments: ["", "{}", "a\nb", "a\r\nb\rc", "\n", "x\n\n", " lead", "event: x"])
    func whatIsFramedIsReadBack(data: String) throws {
        let expected = data.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        #expect(
            try parse([SSE.comment("hi"), SSE.frame(data: Array(data.utf8), event: "e", id: "1"), SSE.comment()]) == [event(expected, "e", id: "1")])
    }

    @Test func namesCannotForgeFields() throws {
        let frame = SSE.frame(data: Array("d".utf8), event: "a\ndata: forged\r", id: "1\n2\0")
        #expect(try parse([frame]) == [event("d", "adata: forged", id: "12")])
    }

    @Test func randomBytesNeverCrash() {
        var numbers = SeededNumbers(state: 2)
        let alphabet = Array("data: eventidretry\r\n\r\n\r\n\u{feff}\0:9".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &numbers)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &numbers)] }
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            #expect(throws: Never.self) {
                let whole = try parse([bytes])
                if try parse([Array(bytes[..<cut]), Array(bytes[cut...])]) != whole { Issue.record("another reading in pieces: \(bytes)") }
            }
        }
    }
}
