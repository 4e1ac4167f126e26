import Foundation
import Testing

@testable import Gateway
@testable import Transport

@Suite struct SessionRegisterTests {
    @Test func `What one instance adds the others read, also after a restart and beside damaged lines`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/switchboard-sessions-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/state/ended"
        var (one, other) = (StateLog<EndedSessions.Entry>(path: path), StateLog<EndedSessions.Entry>(path: path))
        let entries = (1...5).map { EndedSessions.Entry(key: "k\($0)", of: "c", expires: $0) } + [EndedSessions.Entry(key: nil, of: "c", expires: 3)]
        #expect(try one.news() == [])
        try one.append(Array(entries.prefix(2)))
        #expect(try other.news() == Array(entries.prefix(2)))
        try other.append(Array(entries.dropFirst(2)))
        #expect(try one.news() == entries)
        #expect(try other.news() == Array(entries.dropFirst(2)))
        let handle = try #require(FileHandle(forWritingAtPath: one.path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("soon k9 c\n\n7\n7 k7\n8 k8 c\n9 k".utf8))
        #expect(try one.news() == [EndedSessions.Entry(key: "k8", of: "c", expires: 8)])
        try handle.write(contentsOf: Data("9 c\n".utf8))
        #expect(try one.news() == [EndedSessions.Entry(key: "k9", of: "c", expires: 9)])
        // Nobody's entry is lost where it is written anew.
        try other.append([EndedSessions.Entry(key: String(repeating: "x", count: 60), of: "c", expires: 1)])
        var long = StateLog<EndedSessions.Entry>(path: one.path, bytesMax: 40)
        _ = try long.news()
        try other.append([EndedSessions.Entry(key: "late", of: "c", expires: 10)])
        try long.compact { news in news + [EndedSessions.Entry(key: "k9", of: "c", expires: 9)] }
        #expect(try one.news() == [EndedSessions.Entry(key: "late", of: "c", expires: 10), EndedSessions.Entry(key: "k9", of: "c", expires: 9)])
        try StateFile(path: one.path).write(Array("5 k5 c\n".utf8))
        #expect(try one.news() == [EndedSessions.Entry(key: "k5", of: "c", expires: 5)])
    }

    @Test func `A line that was cut off spoils no later one`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/switchboard-sessions-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var file = StateLog<EndedSessions.Entry>(path: folder + "/ended")
        try StateFile(path: file.path).write(Array("5 k5 c\n6 k".utf8))
        let entry = EndedSessions.Entry(key: "k7", of: "c", expires: 7)
        try file.append([entry])
        #expect(try file.news() == [EndedSessions.Entry(key: "k5", of: "c", expires: 5), entry])
    }

    @Test func `An end that can't be written is told, and written by itself once that works`() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/switchboard-sessions-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/ended-sessions", withIntermediateDirectories: true)
        let sessions = SessionRegister(stateFolder: folder).sessions()
        let session = try Session(server: "team", caller: .anonymous, revision: .latestLegacy, capabilities: [:], expires: .max)
        #expect(!(await sessions.end(session, now: 0)))
        #expect(sessions.isUnkept(session) && sessions.contains(session))
        try FileManager.default.removeItem(atPath: folder + "/ended-sessions")
        #expect(await sessions.end(session, now: 0))
        #expect(!sessions.isUnkept(session))
        #expect(SessionRegister(stateFolder: folder).sessions().contains(session))
    }
}
