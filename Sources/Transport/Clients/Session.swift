import Auth
import JSON
import MCPProtocol
import Network
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A legacy client's session. Its id is the session itself, sealed: nothing is kept for it, and any instance with the key accepts it.
struct Session: Sendable {
    /// Unique; the key under which what is in flight is found.
    let key: String
    let server: String
    /// The caller's identity, so that a renewed token or another key of theirs goes on with it.
    let caller: String
    /// The same in few bytes that tell nothing.
    let callerDigest: String
    let revision: Revision
    let capabilities: [UInt8]
    /// From when on its id is good no more, in seconds since 1970.
    let expires: Int

    /// Of capabilities beyond this only what is understood is kept, so that the id fits in a header.
    private static let capabilitiesMax = 2_048

    init(server: String, caller: Caller, revision: Revision, capabilities: JSONValue, expires: Int) throws(Seal.Failure) {
        key = Base64.encodeURL(try Seal.random(12))
        self.server = server
        self.caller = Self.text(of: caller.identity)
        callerDigest = Self.digest(of: self.caller)
        self.revision = revision
        self.expires = expires
        let bytes = capabilities.bytes
        self.capabilities = bytes.count <= Self.capabilitiesMax ? bytes : ClientAbilities(bytes, of: revision).capabilities.bytes
    }

    private init(key: String, server: String, caller: String, revision: Revision, capabilities: [UInt8], expires: Int) {
        self.expires = expires
        self.key = key
        self.server = server
        self.caller = caller
        callerDigest = Self.digest(of: caller)
        self.revision = revision
        self.capabilities = capabilities
    }

    func sealed(with seal: Seal) throws(Seal.Failure) -> String {
        let fields: JSONValue = [.string(key), .string(server), .string(caller), .string(revision.rawValue), .string(String(expires))]
        return try seal.seal(fields.bytes + capabilities, for: "session")
    }

    /// Unlike for unlike identities, whatever is in their names.
    private static func text(of identity: CallerIdentity) -> String {
        let (user, client) = (identity.user.map { JSONValue.string($0) } ?? .null, identity.client.map { JSONValue.string($0) } ?? .null)
        return String(decoding: JSONValue.array([.string(identity.realm), user, client]).bytes, as: UTF8.self)
    }

    private static func digest(of caller: String) -> String { Base64.encodeURL(Array(SHA256Digest(of: caller).bytes.prefix(12))) }

    func belongs(to identity: CallerIdentity) -> Bool { caller.utf8.elementsEqual(Self.text(of: identity).utf8) }

    init?(opening sealed: String, with seal: Seal) {
        guard sealed.utf8.count <= 8_192, let bytes = seal.open(sealed, for: "session") else { return nil }
        var scanner = JSONScanner()
        guard let extent = try? scanner.skipValue(in: bytes.span),
            let fields = try? JSONValue(parsing: extent.range, of: bytes).array?.compactMap(\.string), fields.count == 5,
            let revision = Revision(rawValue: fields[3]), let expires = Int(fields[4])
        else { return nil }
        self.init(
            key: fields[0], server: fields[1], caller: fields[2], revision: revision, capabilities: Array(bytes[extent.range.upperBound...]),
            expires: expires)
    }
}

/// What must be remembered of sessions while they do something: cancellations, log levels, open streams, and which have ended.
final class SessionTable: Sendable {
    private static let entriesMax = 100_000

    private struct State {
        /// By id, with whose they have proven to be.
        var opened: [String: (session: Session, owner: CallerIdentity)] = [:]
        var logLevels: [String: LogLevel] = [:]
        var calls: [CallKey: Cancellation] = [:]
        var streams: [String: ChangeFeed.Listener] = [:]
    }

    private struct CallKey: Hashable {
        let session: String
        let id: String
    }

    private let seal: Seal
    private let ended: EndedSessions
    private let now: @Sendable () -> Int
    private let state = Mutex(State())
    /// What is asked of sessions' clients, by the sessions' keys.
    let questions = ClientQuestions()

    /// `now` is in seconds since 1970.
    init(seal: Seal, ended: EndedSessions = EndedSessions(), now: @escaping @Sendable () -> Int = { time(nil) }) {
        self.seal = seal
        self.ended = ended
        self.now = now
    }

    /// A new session's id.
    func begin(_ session: Session) throws(Seal.Failure) -> String { try session.sealed(with: seal) }

    /// The session behind an id; nil when it is none of ours, belongs to someone else or elsewhere, or has ended.
    func session(_ id: String, server: String, caller: Caller) -> Session? {
        guard let session = unexpired(id, server: server, caller: caller), !ended.contains(session) else { return nil }
        return session
    }

    /// The same for who wants to end it: also one whose end could not be kept yet.
    func endable(_ id: String, server: String, caller: Caller) -> Session? {
        guard let session = unexpired(id, server: server, caller: caller), !ended.contains(session) || ended.isUnkept(session) else { return nil }
        return session
    }

    private func unexpired(_ id: String, server: String, caller: Caller) -> Session? {
        let identity = caller.identity
        let known = state.withLock { $0.opened[id] }
        if let known, known.owner != identity { return nil }
        guard let session = known?.session ?? Session(opening: id, with: seal), session.server == server else { return nil }
        guard known != nil || session.belongs(to: identity) else { return nil }
        guard session.expires > now() else { return nil }
        if known == nil {
            state.withLock { state in
                if state.opened.count >= 4_096 { state.opened.removeAll(keepingCapacity: true) }
                state.opened[id] = (session, identity)
            }
        }
        return session
    }

    /// Ends it: its calls are cancelled, its stream closed, its id accepted no more. Returns whether that will outlive this process, once that is
    /// certain.
    func end(_ session: Session) async -> Bool {
        let (calls, stream) = state.withLock { state in
            state.logLevels[session.key] = nil
            let calls = state.calls.filter { $0.key.session == session.key }
            for key in calls.keys { state.calls[key] = nil }
            return (calls.values, state.streams.removeValue(forKey: session.key))
        }
        for call in calls { call.cancel() }
        questions.forget(session.key)
        stream?.changes.close()
        return await ended.end(session, now: now())
    }

    func logLevel(of session: Session?) -> LogLevel { session.flatMap { session in state.withLock { $0.logLevels[session.key] } } ?? .info }

    func set(_ level: LogLevel, for session: Session) {
        state.withLock { state in
            if state.logLevels.count >= Self.entriesMax { state.logLevels.removeAll() }
            state.logLevels[session.key] = level
        }
    }

    func add(_ call: Cancellation, id: String, of session: Session) {
        state.withLock { $0.calls[CallKey(session: session.key, id: id)] = call }
    }

    func remove(callWith id: String, of session: Session) {
        state.withLock { _ = $0.calls.removeValue(forKey: CallKey(session: session.key, id: id)) }
    }

    func cancel(callWith id: String, of session: Session) {
        state.withLock { $0.calls[CallKey(session: session.key, id: id)] }?.cancel()
    }

    /// A session has one stream of its own: a new one takes the place of the old, which is most likely dead.
    func replaceStream(of session: Session, with listener: ChangeFeed.Listener) {
        state.withLock { $0.streams.updateValue(listener, forKey: session.key) }?.changes.close()
    }

    func removeStream(of session: Session, _ listener: ChangeFeed.Listener) {
        state.withLock { state in
            if state.streams[session.key] === listener { state.streams[session.key] = nil }
        }
    }
}
