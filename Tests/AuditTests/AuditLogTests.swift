import Foundation
import JSON
import Testing

@testable import Audit

@Suite("Writing the audit")
struct AuditLogTests {
    @Test("events are appended in order under numbers of their own, in a file for its owner only")
    func order() async throws {
        let folder = try Folder()
        let log = auditLog(folder.file("audit.jsonl"))
        for number in 0..<1_000 { log.record(event("tool\(number)")) }
        await log.flushed()
        let events = try folder.events()
        #expect(events.map { $0["tool"] } == (0..<1_000).map { .string("tool\($0)") })
        #expect(Set(events.map { $0["event"] }).count == 1_000)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("audit.jsonl"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let again = auditLog(folder.file("audit.jsonl"))
        again.record(event("later"))
        await again.flushed()
        #expect(try folder.events().count == 1_001)
    }

    @Test("a line that a crash left unfinished does not spoil the next one")
    func torn() async throws {
        let folder = try Folder()
        try Data("{\"outcome\":\"allo".utf8).write(to: URL(fileURLWithPath: folder.file("audit.jsonl")))
        let log = auditLog(folder.file("audit.jsonl"))
        log.record(event("next"))
        await log.flushed()
        let lines = folder.text("audit.jsonl").split(separator: "\n")
        #expect(lines.count == 2)
        #expect(try JSONValue(parsing: Array(lines[1].utf8))["tool"] == "next")
    }

    @Test("after a rotation the file is made anew", arguments: [true, false])
    func rotation(_ isRemoved: Bool) async throws {
        let folder = try Folder()
        let log = auditLog(folder.file("audit.jsonl"))
        log.record(event("before"))
        await log.flushed()
        if isRemoved {
            try FileManager.default.removeItem(atPath: folder.file("audit.jsonl"))
        } else {
            try FileManager.default.moveItem(atPath: folder.file("audit.jsonl"), toPath: folder.file("audit.1"))
        }
        log.reopen()
        log.record(event("after"))
        await log.flushed()
        #expect(try folder.events().map { $0["tool"] } == ["after"])
        if !isRemoved { #expect(try folder.events("audit.1").map { $0["tool"] } == ["before"]) }
    }

    @Test("a file that can't be opened is said so in the system's words, without its path")
    func unopened() throws {
        let folder = try Folder()
        #expect(throws: AuditFailure("No such file or directory")) { try auditLog(folder.file("missing/audit.jsonl")).open() }
        #expect(throws: AuditFailure("Is a directory")) { try auditLog(folder.path).open() }
    }

    @Test("who has nothing to record makes no file, and may ask whether one could be made")
    func unmade() async throws {
        let folder = try Folder()
        let log = auditLog(folder.file("audit.jsonl"))
        await log.flushed()
        #expect(log.settings.obstacle == nil && !FileManager.default.fileExists(atPath: folder.file("audit.jsonl")))
        #expect(auditLog(folder.file("missing/audit.jsonl")).settings.obstacle == AuditFailure("No such file or directory"))
        #expect(auditLog(folder.path).settings.obstacle == AuditFailure("Is a directory"))
    }

    @Test("a disk that is full is an obstacle, and nothing is lost meanwhile")
    func full() async throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let log = auditLog("/dev/full")
        #expect(log.obstacle == nil)
        log.record(event())
        await log.flushed()
        #expect(log.obstacle == AuditFailure("No space left on device"))
        #expect(log.lost == 0)
    }

    @Test("once it can be written again, what waited is written first")
    func recovery() async throws {
        let folder = try Folder()
        let nested = folder.file("later")
        let log = auditLog(nested + "/audit.jsonl")
        log.record(event("first"))
        await log.flushed()
        #expect(log.obstacle != nil)
        log.record(event("second"))
        try FileManager.default.createDirectory(atPath: nested, withIntermediateDirectories: true)
        log.retryNow()
        await log.flushed()
        #expect(log.obstacle == nil)
        #expect(try folder.events("later/audit.jsonl").map { $0["tool"] } == ["first", "second"])
    }

    @Test("too many that wait are an obstacle; beyond twice as many they are counted, and the count is written")
    func bounded() async throws {
        let folder = try Folder()
        let log = auditLog(folder.file("later/audit.jsonl"))
        log.record(event("first"))
        await log.flushed()
        for _ in 0..<20_004 { log.record(event()) }
        #expect(log.obstacle != nil)
        #expect(log.lost == 5)
        try FileManager.default.createDirectory(atPath: folder.file("later"), withIntermediateDirectories: true)
        log.retryNow()
        await log.flushed()
        let events = try folder.events("later/audit.jsonl")
        #expect(events.filter { $0["outcome"] == "allowed" }.count == 20_000)
        #expect(events.first { $0["outcome"] == "lost" }?["events"] == 5)
    }

    @Test("refusals at the door can't fill the disk: beyond a hundred a second they are counted")
    func door() async throws {
        let folder = try Folder()
        let log = auditLog(folder.file("audit.jsonl"))
        func refusal(at second: Int) -> AuditEvent {
            AuditEvent(
                at: EventTime(seconds: second, milliseconds: 0), caller: nil, virtualServer: "team",
                origin: CallOrigin(transport: "http", peer: "::1"))
        }
        for _ in 0..<250 { log.recordAtDoor(refusal(at: 1)) }
        log.recordAtDoor(refusal(at: 2))
        await log.flushed()
        let events = try folder.events()
        #expect(events.count == 101)
        #expect(events.last?["more"] == 150)
    }
}
