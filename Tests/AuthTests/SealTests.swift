import Testing

@testable import Auth

@Suite("Sealed values")
struct SealTests {
    private let seal: Seal

    init() throws { seal = try Seal(key: Array(0..<32)) }

    @Test("what is sealed comes back", arguments: [0, 1, 15, 16, 17, 1_000])
    func roundTrip(count: Int) throws {
        let plain = [UInt8](repeating: 0xA7, count: count)
        #expect(seal.open(try seal.seal(plain, for: "test"), for: "test") == plain)
    }

    @Test("two seals of one value differ, and neither shows it")
    func hidden() throws {
        let plain = Array("session-of-alice".utf8)
        let (a, b) = (try seal.seal(plain, for: "test"), try seal.seal(plain, for: "test"))
        #expect(a != b)
        #expect(!a.contains("alice") && a.utf8.allSatisfy { $0 < 0x7F && $0 > 0x20 })
    }

    @Test("a change of any character is noticed")
    func tampered() throws {
        for count in [3, 4, 5] {
            let sealed = Array(try seal.seal([UInt8](repeating: 7, count: count), for: "test").utf8)
            for index in sealed.indices {
                for byte in "ABQgwz019-_=+/ ü\0".utf8 where byte != sealed[index] {
                    var other = sealed
                    other[index] = byte
                    #expect(seal.open(String(decoding: other, as: UTF8.self), for: "test") == nil)
                }
            }
        }
    }

    @Test("every truncation and every addition is noticed")
    func lengths() throws {
        let sealed = try seal.seal([1, 2, 3, 4], for: "test")
        for count in 0..<sealed.count { #expect(seal.open(String(sealed.prefix(count)), for: "test") == nil) }
        for more in ["A", "AA", "AAA", "AAAA", "=", "\n"] { #expect(seal.open(sealed + more, for: "test") == nil) }
        #expect(seal.open("", for: "test") == nil)
    }

    @Test("what was sealed for one purpose can't be opened for another")
    func purposes() throws {
        #expect(seal.open(try seal.seal([1], for: "session"), for: "state") == nil)
        #expect(seal.open(try seal.seal([1], for: "session"), for: "session2") == nil)
        #expect(seal.open(try seal.seal([1], for: "session"), for: "") == nil)
    }

    @Test("another key opens nothing")
    func keys() throws {
        let other = try Seal(key: Array(1..<33))
        #expect(other.open(try seal.seal([1], for: "test"), for: "test") == nil)
        #expect(try Seal(key: Array(0..<32)).open(try seal.seal([1], for: "test"), for: "test") == [1])
    }

    @Test("a key has 32 bytes", arguments: [0, 16, 31, 33])
    func keyLengths(count: Int) {
        #expect(throws: Seal.Failure.badKey) { try Seal(key: [UInt8](repeating: 0, count: count)) }
    }

    @Test("random bytes differ")
    func random() throws {
        #expect(try Seal.random(32) != Seal.random(32))
        #expect(try Seal.random(5).count == 5)
    }
}

@Suite("Callers and permits")
struct AccessTests {
    @Test("callers are told apart, whatever a login looks like")
    func callers() {
        #expect(Caller.anonymous.description == "anonymous")
        #expect(Caller.localUser("alice").description == "user:alice")
        #expect(Caller.localUser("anonymous") != .anonymous)
        #expect(Caller.localUser("anonymous").description != Caller.anonymous.description)
    }
}
