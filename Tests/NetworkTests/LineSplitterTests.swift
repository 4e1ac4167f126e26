import Testing

@testable import Network

@Suite struct LineSplitterTests {
    private func split(_ bytes: [UInt8], at places: [Int], lineBytesMax: Int) -> [String] {
        var splitter = LineSplitter(lineBytesMax: lineBytesMax)
        var items: [String] = []
        let note: (LineSplitter.Item) -> Void = { item in
            switch item {
            case .line(let line): items.append(String(decoding: line, as: UTF8.self))
            case .overlong(let start): items.append("overlong " + String(decoding: start, as: UTF8.self))
            }
        }
        var start = 0
        for place in places + [bytes.count] {
            bytes[start..<place].withUnsafeBytes { splitter.feed($0, note) }
            start = place
        }
        splitter.finish(note)
        return items
    }

    @Test func `the lines are the same wherever the stream is cut`() {
        let bytes = Array("a\n\nbcd\r\nefghijk\nlmnop\nq\r".utf8)
        let whole = split(bytes, at: [], lineBytesMax: 5)
        #expect(whole == ["a", "bcd", "overlong efghi", "lmnop", "q"])
        for first in 0..<bytes.count {
            for second in first..<bytes.count { #expect(split(bytes, at: [first, second], lineBytesMax: 5) == whole) }
        }
    }
}

@Suite struct ByteBufferTests {
    @Test func `it behaves as an array whose front is cut off`() {
        var generator = Seeded(state: 11)
        var buffer = ByteBuffer()
        var model: [UInt8] = []
        for round in 0..<5000 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                let bytes = (0..<Int.random(in: 0..<(round % 50 == 0 ? 5000 : 60), using: &generator)).map { UInt8(truncatingIfNeeded: $0 &+ round) }
                buffer.append(bytes)
                model += bytes
            case 2:
                let count = Int.random(in: 0...model.count, using: &generator)
                buffer.consume(count)
                model.removeFirst(count)
            default:
                let count = Int.random(in: 0...model.count, using: &generator)
                #expect(buffer.take(count) == Array(model.prefix(count)))
                model.removeFirst(count)
            }
            #expect(buffer.count == model.count)
            #expect(buffer.firstIndex(of: 7) == model.firstIndex(of: 7))
            #expect(buffer.withUnsafeBytes { Array($0) } == model)
        }
    }
}

@Suite struct ResolverTests {
    @Test(arguments: [("127.0.0.1", "127.0.0.1:80"), ("[::1]", "[::1]:80"), ("::1", "[::1]:80"), ("0.0.0.0", "0.0.0.0:80")])
    func `a literal is its own address`(host: String, address: String) async throws {
        #expect(try await Resolver.resolve(host: host, port: 80).map(\.description) == [address])
    }

    @Test func `localhost is loopback`() async throws {
        for _ in 0..<2 {
            let addresses = try await Resolver.resolve(host: "localhost", port: 1234)
            #expect(!addresses.isEmpty && addresses.allSatisfy { $0.isLoopback && $0.port == 1234 })
        }
    }

    @Test func `an unknown name is named`() async throws {
        do {
            _ = try await Resolver.resolve(host: "no-such-host.invalid", port: 80)
            Issue.record("resolved")
        } catch {
            #expect(error.kind == .resolve)
            #expect(error.text.hasPrefix("the name “no-such-host.invalid” has no address"))
        }
    }
}
