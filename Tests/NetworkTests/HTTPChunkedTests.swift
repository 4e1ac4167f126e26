import Testing

@testable import Network

@Suite struct HTTPChunkedTests {
    private func body(_ text: String) -> ReadOutcome { readRequest("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + text) }

    @Test(arguments: [
        "3;a=b\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "\r\nabc",
        "x\r\n",
        "0x3\r\nabc\r\n", "+3\r\nabc\r\n", "-3\r\nabc\r\n", "000000003\r\nabc\r\n0\r\n\r\n", "3\r\r\nabc", "0\r\n\n", "0\r\nX\r\n\r\n",
        "0\r\n X: a\r\n\r\n",
        "0\r\nX : a\r\n\r\n", "0\r\nX: \0\r\n\r\n", "0\r\nX: a\n\r\n", "0\r\n: a\r\n\r\n",
    ])
    func malformedChunksAreRefused(text: String) { #expect(body(text) == .fault(400)) }

    @Test func chunksThatAnnounceTooMuchAreRefusedBeforeTheyArrive() {
        #expect(body("FFFFFFFF\r\n") == .fault(413))
        #expect(body("100000\r\n" + String(repeating: "a", count: 0x10_0000) + "\r\n1\r\n") == .fault(413))
    }

    @Test func trailersAreBounded() {
        #expect(body("0\r\n" + String(repeating: "X: aaaaaaaaaaaaaaaaaaaaaa\r\n", count: 1000)) == .fault(431))
    }

    @Test func extensionsOfResponsesAreSkipped() throws {
        var decoder = HTTPChunkedDecoder(allowsExtensions: true, overheadBytesMax: 100)
        var body: [UInt8] = []
        let text = Array("3;a=\"b\"\r\nabc\r\n2 ;x\r\nde\r\n0;y\r\n\r\nrest".utf8)
        let used = try text.withUnsafeBytes { try decoder.decode($0, into: &body) }
        #expect(used == text.count - 4)
        #expect(decoder.isDone)
        #expect(String(decoding: body, as: UTF8.self) == "abcde")
    }

    @Test func decodingStopsWhenEnoughIsThere() throws {
        var decoder = HTTPChunkedDecoder(allowsExtensions: false, overheadBytesMax: 100)
        var body: [UInt8] = []
        let text = Array("5\r\nabcde\r\n0\r\n\r\n".utf8)
        let used = try text.withUnsafeBytes { try decoder.decode($0, into: &body, softMax: 2) }
        #expect(used == 5)
        #expect(body.count == 2)
    }
}
