import Auth
import JSON
import MCPProtocol
import Transport
import VirtualServers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a client knows as a task's id: where the task is and whose, sealed. Nothing is kept for it, and any instance with the key can follow it.
struct TaskTicket {
    /// Nothing that is longer was ever made here.
    private static let bytesMax = 6_144
    /// How long an id is good at least, in seconds; longer where the task lives longer. The upstream decides when the task itself ends.
    private static let life = 30 * 86_400

    let upstream: String
    /// The tool's exposed name, and the upstream's own.
    let tool: String
    let upstreamTool: String
    /// The upstream's id of the task.
    let id: String
    /// How the upstream speaks of it.
    let era: Era
    /// The rules that permitted it.
    let grant: String
    private let owner: [String]
    private let expires: Int

    init(_ task: TaskState, of call: Call, on tool: ExposedTool, under grant: String) {
        upstream = tool.upstream
        self.tool = tool.name
        upstreamTool = tool.upstreamName
        id = task.id
        era = task.era
        self.grant = grant
        owner = Self.owner(call.caller, at: call.server)
        expires = time(nil) + max(Self.life, min((task.ttl ?? 0) / 1_000, 10 * 365 * 86_400))
    }

    func sealed(with seal: Seal) throws(Seal.Failure) -> String {
        let fields: JSONValue = [
            .array(owner.map { .string($0) }), .string(upstream), .string(tool), .string(upstreamTool), .string(id), .string(era.rawValue),
            .string(grant), .number(String(expires)),
        ]
        return try seal.seal(fields.bytes, for: "task")
    }

    /// nil for what is no id of ours, or too old.
    init?(opening sealed: String, with seal: Seal) {
        guard sealed.utf8.count <= Self.bytesMax, let bytes = seal.open(sealed, for: "task"),
            let fields = (try? JSONValue(parsing: bytes))?.array, fields.count == 8,
            let owner = fields[0].array?.compactMap(\.string), let upstream = fields[1].string, let tool = fields[2].string,
            let upstreamTool = fields[3].string, let id = fields[4].string, let era = fields[5].string.flatMap(Era.init),
            let grant = fields[6].string, let expires = fields[7].integer, expires > time(nil)
        else { return nil }
        self.owner = owner
        self.upstream = upstream
        self.tool = tool
        self.upstreamTool = upstreamTool
        self.id = id
        self.era = era
        self.grant = grant
        self.expires = expires
    }

    /// Whether it was given to the one who calls now, and by the same virtual server.
    func belongs(to call: Call) -> Bool { belongs(to: call.caller, at: call.server) }

    func belongs(to caller: Caller, at server: String) -> Bool {
        let other = Self.owner(caller, at: server)
        return owner.count == other.count && zip(owner, other).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Unlike for unlike callers, whatever is in their names.
    private static func owner(_ caller: Caller, at server: String) -> [String] {
        let identity = caller.identity
        return [server, identity.realm, identity.user.map { "=" + $0 } ?? "", identity.client.map { "=" + $0 } ?? ""]
    }
}
