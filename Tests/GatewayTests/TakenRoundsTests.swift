import Foundation
import Testing

@testable import Gateway

@Suite struct TakenRoundsTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/switchboard-rounds-\(UUID().uuidString)"
    private let entry = TakenRounds.Entry(id: "a", expires: 20)

    @Test func `What was taken is not taken again, by this instance, another one or after a restart`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (one, other) = (TakenRounds(stateFolder: folder), TakenRounds(stateFolder: folder))
        #expect(one.take(entry, isOurs: true, now: 10))
        #expect(!one.take(entry, isOurs: true, now: 10))
        #expect(!other.take(entry, isOurs: true, now: 10))
        #expect(other.take(TakenRounds.Entry(id: "b", expires: 20), isOurs: true, now: 10))
        #expect(!one.take(TakenRounds.Entry(id: "b", expires: 20), isOurs: true, now: 10))
        #expect(!TakenRounds(stateFolder: folder).take(entry, isOurs: true, now: 10))
    }

    @Test func `What was put back is good once more, everywhere`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (one, other) = (TakenRounds(stateFolder: folder), TakenRounds(stateFolder: folder))
        #expect(one.take(entry, isOurs: true, now: 10))
        one.putBack(entry.id)
        #expect(other.take(entry, isOurs: true, now: 10))
        #expect(!one.take(entry, isOurs: true, now: 10))
        #expect(!other.take(entry, isOurs: true, now: 10))
    }

    @Test func `Where nothing can be written, only what this process made is good, once, and that is written later`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/taken-rounds", withIntermediateDirectories: true)
        let rounds = TakenRounds(stateFolder: folder)
        let (other, next) = (TakenRounds.Entry(id: "other", expires: 20), TakenRounds.Entry(id: "next", expires: 20))
        #expect(!rounds.take(other, isOurs: false, now: 10))
        #expect(rounds.take(entry, isOurs: true, now: 10))
        #expect(!rounds.take(entry, isOurs: true, now: 10))
        rounds.putBack(entry.id)
        #expect(rounds.take(entry, isOurs: true, now: 10))
        try FileManager.default.removeItem(atPath: folder + "/taken-rounds")
        #expect(rounds.take(other, isOurs: false, now: 10))
        let restarted = TakenRounds(stateFolder: folder)
        for taken in [entry, other] { #expect(!restarted.take(taken, isOurs: false, now: 10)) }
        #expect(restarted.take(next, isOurs: false, now: 10))
    }
}
