import Foundation
import Testing

@testable import Gateway
@testable import Transport

@Suite struct SessionRegisterTests {
    @Test func `What one instance adds the others read, also after a restart and beside damaged lines`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/switchboard-sessions-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var (one, other) = (EndedSessionFile(path: folder + "/state/ended"), EndedSessionFile(path: folder + "/state/ended"))
        let entries = (1...5).map { EndedSessions.Entry(key: "k\($0)", expires: $0) } + [EndedSessions.Entry(key: nil, expires: 3)]
        #expect(try one.news() == [])
        try one.append(Array(entries.prefix(2)))
        #expect(try other.news() == Array(entries.prefix(2)))
        try other.append(Array(entries.dropFirst(2)))
        #expect(try one.news() == entries)
        #expect(try other.news() == Array(entries.dropFirst(2)))
        let handle = try #require(FileHandle(forWritingAtPath: one.path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("soon k9\n\n7\n8 k8\n9 k".utf8))
        #expect(try one.news() == [EndedSessions.Entry(key: "k8", expires: 8)])
        try handle.write(contentsOf: Data("9\n".utf8))
        #expect(try one.news() == [EndedSessions.Entry(key: "k9", expires: 9)])
        // Nobody's entry is lost where it is written anew.
        try other.append([EndedSessions.Entry(key: String(repeating: "x", count: 60), expires: 1)])
        var long = EndedSessionFile(path: one.path, bytesMax: 40)
        _ = try long.news()
        try other.append([EndedSessions.Entry(key: "late", expires: 10)])
        try long.compact { news in news + [EndedSessions.Entry(key: "k9", expires: 9)] }
        #expect(try one.news() == [EndedSessions.Entry(key: "late", expires: 10), EndedSessions.Entry(key: "k9", expires: 9)])
        try StateFile(path: one.path).write(Array("5 k5\n".utf8))
        #expect(try one.news() == [EndedSessions.Entry(key: "k5", expires: 5)])
    }
}
