import Auth
import JSON
import MCPProtocol
import Synchronization
import Testing

@testable import Transport

@Suite("Sessions")
struct SessionTests {
    private let seal: Seal
    private let table: SessionTable

    init() throws {
        seal = try Seal(key: Array(0..<32))
        table = SessionTable(seal: seal)
    }

    private func session(capabilities: JSONValue = ["roots": ["listChanged": true]], expires: Int = .max) throws -> Session {
        try Session(server: "team", caller: .anonymous, revision: .v2025_06_18, capabilities: capabilities, expires: expires)
    }

    @Test("an id is the session itself: another instance with the key accepts it")
    func sealed() throws {
        let session = try session()
        let id = try table.begin(session)
        let opened = try #require(SessionTable(seal: seal).session(id, server: "team", caller: .anonymous))
        #expect(opened.key == session.key)
        #expect(opened.revision == .v2025_06_18)
        #expect(opened.capabilities == session.capabilities)
        #expect(id.utf8.allSatisfy { (0x21...0x7E).contains($0) })
    }

    @Test("an id is good for its caller and its virtual server only, also once it is known")
    func bound() throws {
        let id = try table.begin(try session())
        for _ in 0..<2 {
            #expect(table.session(id, server: "other", caller: .anonymous) == nil)
            #expect(table.session(id, server: "team", caller: .localUser("alice")) == nil)
            #expect(table.session(id, server: "team", caller: .localUser("anonymous")) == nil)
            #expect(table.session(id, server: "team", caller: .anonymous) != nil)
        }
    }

    @Test("an id that was tampered with, or sealed for something else, is none")
    func tampered() throws {
        let id = Array(try table.begin(try session()).utf8)
        for index in id.indices {
            var other = id
            other[index] = other[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(table.session(String(decoding: other, as: UTF8.self), server: "team", caller: .anonymous) == nil)
        }
        let fields = bytes(#"["k","team","[\"anonymous\",null,null]","2025-06-18","9"]{}"#)
        #expect(Session(opening: try seal.seal(fields, for: "session"), with: seal) != nil)
        #expect(Session(opening: try seal.seal(fields, for: "state"), with: seal) == nil)
        #expect(Session(opening: try Seal(key: Array(1..<33)).seal(fields, for: "session"), with: seal) == nil)
        for bad in [
            #"["k","team","anonymous","2025-06-18"]{}"#, #"["k","team","anonymous","1999","9"]{}"#, "{}", "", #"[1,2,3,4,5]{}"#,
            #"["k","team","anonymous","2025-06-18","soon"]{}"#,
        ] {
            #expect(Session(opening: try seal.seal(bytes(bad), for: "session"), with: seal) == nil)
        }
        #expect(Session(opening: String(repeating: "A", count: 10_000), with: seal) == nil)
        #expect(Session(opening: "", with: seal) == nil)
    }

    @Test("a session that has ended is gone, and no other")
    func ended() async throws {
        let (a, b) = (try session(), try session())
        let (idA, idB) = (try table.begin(a), try table.begin(b))
        #expect(table.session(idA, server: "team", caller: .anonymous) != nil)
        #expect(await table.end(a))
        #expect(table.session(idA, server: "team", caller: .anonymous) == nil)
        #expect(table.session(idB, server: "team", caller: .anonymous) != nil)
    }

    @Test("an id runs out, and until then its end is known to whoever shares the list")
    func expiry() async throws {
        let session = try session(expires: 100)
        let id = try table.begin(session)
        #expect(SessionTable(seal: seal, now: { 99 }).session(id, server: "team", caller: .anonymous) != nil)
        #expect(SessionTable(seal: seal, now: { 100 }).session(id, server: "team", caller: .anonymous) == nil)
        let ended = EndedSessions()
        let (one, other) = (SessionTable(seal: seal, ended: ended, now: { 99 }), SessionTable(seal: seal, ended: ended, now: { 99 }))
        #expect(other.session(id, server: "team", caller: .anonymous) != nil)
        #expect(await one.end(session))
        #expect(other.session(id, server: "team", caller: .anonymous) == nil)
    }

    @Test("where too many sessions have ended, no id is good again, and only those of the caller who ended most end early")
    func bounded() async throws {
        let ended = EndedSessions(countMax: 10)
        let sessions = try (1...30).map { try session(expires: $0) }
        for session in sessions { #expect(await ended.end(session, now: 0)) }
        #expect(sessions.allSatisfy { ended.contains($0) })
        #expect(ended.entries(now: 0).count <= 11)
        let (later, earlier) = (try session(expires: 31), try session(expires: 1))
        #expect(!ended.contains(later) && ended.contains(earlier))
        let alice = try Session(server: "team", caller: .localUser("alice"), revision: .v2025_06_18, capabilities: [:], expires: 1)
        #expect(!ended.contains(alice))
        #expect(await ended.end(alice, now: 0))
        let restarted = EndedSessions(countMax: 10)
        restarted.take(ended.entries(now: 0), now: 0)
        #expect((sessions + [alice]).allSatisfy { restarted.contains($0) })
        #expect(ended.entries(now: 30) == [])
    }

    @Test("an end that can't be kept counts at once, and may be asked for again until it is kept")
    func unkept() async throws {
        let works = Mutex(false)
        let ended = EndedSessions { _ in works.withLock { $0 } }
        let table = SessionTable(seal: seal, ended: ended, now: { 0 })
        let session = try session(expires: 100)
        let id = try table.begin(session)
        #expect(!(await table.end(session)))
        #expect(table.session(id, server: "team", caller: .anonymous) == nil)
        #expect(table.endable(id, server: "team", caller: .localUser("eve")) == nil)
        let again = try #require(table.endable(id, server: "team", caller: .anonymous))
        #expect(ended.unkept(now: 0).count == 1)
        works.withLock { $0 = true }
        #expect(await table.end(again))
        #expect(ended.unkept(now: 0).isEmpty && table.endable(id, server: "team", caller: .anonymous) == nil)
    }

    @Test(
        "of large capabilities what a client may be asked is kept in full, so that the id fits in a header",
        arguments: [
            #"{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{},"context":{}},"roots":{"listChanged":true}}"#,
            #"{"elicitation":{"url":{"x":1}},"sampling":{}}"#, #"{"elicitation":true,"roots":{}}"#, "{}",
        ])
    func largeCapabilities(_ asked: String) throws {
        let long = String(repeating: "x", count: 100)
        let others = (0..<100).map { JSONValue.Member("capability-\($0)-\(long)", .string(long)) }
        let asked = try JSONValue(parsing: Array(asked.utf8))
        let large = JSONValue.object(others + (asked.members ?? []))
        let session = try Session(server: "team", caller: .anonymous, revision: .v2025_11_25, capabilities: large, expires: .max)
        let id = try table.begin(session)
        #expect(id.utf8.count < 4_096)
        let opened = try #require(table.session(id, server: "team", caller: .anonymous))
        let abilities = ClientAbilities(asked.bytes, of: .v2025_11_25)
        #expect(ClientAbilities(opened.capabilities, of: .v2025_11_25) == abilities)
        #expect(ClientAbilities(session.capabilities, of: .v2025_11_25) == abilities)
    }

    @Test("the end of a session cancels its calls, closes its stream and forgets its log level")
    func endCancels() async throws {
        let (a, b) = (try session(), try session())
        let (mine, other) = (Cancellation(), Cancellation())
        table.add(mine, id: "1", of: a)
        table.add(other, id: "1", of: b)
        table.set(.error, for: a)
        let feed = ChangeFeed()
        let listener = feed.listen(to: "team", as: .anonymous)
        table.replaceStream(of: a, with: listener)
        #expect(await table.end(a))
        #expect(mine.isCancelled && !other.isCancelled)
        #expect(table.logLevel(of: a) == .info)
        #expect(await listener.changes.next() == nil)
    }

    @Test("a call is cancelled by its id as it was spelt, in its own session")
    func cancel() throws {
        let (a, b) = (try session(), try session())
        let call = Cancellation()
        table.add(call, id: "1", of: a)
        table.cancel(callWith: #""1""#, of: a)
        table.cancel(callWith: "1", of: b)
        #expect(!call.isCancelled)
        table.cancel(callWith: "1", of: a)
        #expect(call.isCancelled)
        let done = Cancellation()
        table.add(done, id: "2", of: a)
        table.remove(callWith: "2", of: a)
        table.cancel(callWith: "2", of: a)
        #expect(!done.isCancelled)
    }

    @Test("a new stream takes the place of the old one, whose end does not remove the new one")
    func streams() async throws {
        let session = try session()
        let feed = ChangeFeed()
        let (old, new) = (feed.listen(to: "team", as: .anonymous), feed.listen(to: "team", as: .anonymous))
        table.replaceStream(of: session, with: old)
        table.replaceStream(of: session, with: new)
        #expect(await old.changes.next() == nil)
        table.removeStream(of: session, old)
        _ = await table.end(session)
        #expect(await new.changes.next() == nil)
    }

    @Test("log levels belong to sessions")
    func levels() throws {
        let (a, b) = (try session(), try session())
        table.set(.debug, for: a)
        #expect(table.logLevel(of: a) == .debug)
        #expect(table.logLevel(of: b) == .info)
        #expect(table.logLevel(of: nil) == .info)
    }
}
