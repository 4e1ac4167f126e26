import Testing

@testable import Network

@Suite struct HTTPSweepTests {
    @Test(arguments: goodRequests)
    func everySplitReadsTheSame(text: String) {
        let bytes = Array(text.utf8)
        let whole = readRequest([bytes])
        guard case .request = whole else {
            Issue.record("refused: \(whole)")
            return
        }
        for cut in 0...bytes.count { #expect(readRequest([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole) }
        #expect(readRequest(bytes.map { [$0] }) == whole)
    }

    @Test(arguments: goodRequests)
    func noTruncationIsRefusedOrReadAsAnotherRequest(text: String) {
        let bytes = Array(text.utf8)
        guard case .request(let whole) = readRequest([bytes]) else { return }
        for count in 0..<(bytes.count - whole.rest.utf8.count) { #expect(readRequest([Array(bytes[..<count])]) == .incomplete) }
    }

    @Test(arguments: goodRequests)
    func everyByteAtEveryPlaceIsReadOrRefusedTheSameWayInPieces(text: String) {
        let bytes = Array(text.utf8)
        for position in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = bytes
                changed[position] = byte
                check(changed, cut: position)
            }
        }
    }

    @Test func randomChangesAreReadOrRefusedTheSameWayInPieces() {
        var numbers = SeededNumbers(state: 1)
        let pieces = ["\r\n", "\n", "\r", ":", " ", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", "0\r\n\r\n", "\0", ";"]
        for _ in 0..<20_000 {
            var bytes = Array(goodRequests[Int.random(in: 0..<goodRequests.count, using: &numbers)].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                let position = Int.random(in: 0..<bytes.count, using: &numbers)
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &numbers)
                case 1 where bytes.count > 1: bytes.remove(at: position)
                case 2: bytes.insert(contentsOf: Array(pieces[Int.random(in: 0..<pieces.count, using: &numbers)].utf8), at: position)
                default: bytes.insert(contentsOf: bytes[(position / 2)..<position], at: position)
                }
            }
            check(bytes, cut: Int.random(in: 0...bytes.count, using: &numbers))
        }
    }

    /// The same outcome in one piece and in two; and what is accepted has one framing only.
    private func check(_ bytes: [UInt8], cut: Int) {
        let whole = readRequest([bytes])
        let split = readRequest([Array(bytes[..<cut]), Array(bytes[cut...])])
        if whole != split { Issue.record("\(whole) but in pieces \(split): \(String(decoding: bytes, as: UTF8.self).debugDescription)") }
        guard case .request = whole else { return }
        let head = String(decoding: bytes, as: UTF8.self).lowercased().split(separator: "\r\n\r\n", maxSplits: 1)[0]
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false).dropFirst()
        let lengths = lines.count { $0.hasPrefix("content-length:") }
        let codings = lines.count { $0.hasPrefix("transfer-encoding:") }
        let hosts = lines.count { $0.hasPrefix("host:") }
        if lengths + codings > 1 || hosts > 1 || head.utf8.contains(0) { Issue.record("accepted: \(head.debugDescription)") }
    }
}
