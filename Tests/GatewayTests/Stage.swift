import Audit
import Auth
import Diagnostics
import Foundation
import JSON
import MCPProtocol
import Network
import Synchronization
import Transport
import VirtualServers

@testable import Configuration
@testable import Gateway

/// A folder with a small MCP server in it, and what is needed to run gateways over it. Gone with the test.
final class Stage: Sendable {
    let folder: String
    let loops = LoopGroup(count: 1, name: "test")
    static let position = SourcePosition(file: "gateway.yaml", line: 1, column: 1)

    /// Answers as a legacy server; its tools are its arguments. A call's result tells the process and the parameters that it got.
    private static let script = #"""
        tools=; for tool; do tools="$tools${tools:+,}{\"name\":\"$tool\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{}}}}"; done
        while read -r line; do
            id=${line#*'"id":'}; id=${id%%,*}; params=${line#*'"params":'}; params=${params%'}'}
            case $line in
            *'"method":"initialize"'*) opening=$params
                printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"logging":{}}}}\n' "$id" ;;
            *'"method":"tools/list"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"tools":[%s]}}\n' "$id" "$tools" ;;
            *'"name":"crash"'*) echo "stack of /usr/lib/server" >&2; exit 3 ;;
            *'"name":"silent"'*) ;;
            *'"name":"asking"'*)
                printf '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"Name?","requestedSchema":{"type":"object"}}}\n'
                read -r answer
                printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[],"structuredContent":{"answer":%s}}}\n' "$id" "$answer" ;;
            *'"name":"insisting"'*) answer=
                while case $answer in *cancelled*) false ;; esac; do
                    printf '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"Name?","requestedSchema":{"type":"object"}}}\n'
                    read -r answer || exit
                done ;;
            *'"name":"hasty"'*)
                printf '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"Name?","requestedSchema":{"type":"object"}}}\n'
                read -r line; next=${line#*'"id":'}; next=${next%%,*}
                printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[],"x":"%0*d"}}\n' "$id" $((17 << 20)) 0
                printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}\n' "$next" ;;
            *'"name":"broken"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[],}}\n' "$id" ;;
            *'"name":"chatty"'*)
                printf 'I am no MCP\n{"jsonrpc":"2.0","result":{"content":[],}}\n{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}\n' "$id" ;;
            *'"name":"overlong"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[],"x":"%02000d"}}\n' "$id" 0 ;;
            *'"name":"codeless"'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"message":"no"}}\n' "$id" ;;
            *'"name":"textless"'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32000}}\n' "$id" ;;
            *'"name":"worded"'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":"E1","message":"no"}}\n' "$id" ;;
            *'"method":"tools/call"'*)
                case $params in *progressToken*)
                    printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}\n' "$id"
                    printf '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"debug","data":1}}\n'
                    printf '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":2}}\n' ;;
                esac
                printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[],"structuredContent":{"pid":%s,"params":%s,"opening":%s}}}\n' \
                    "$id" "$$" "$params" "$opening" ;;
            *'"id":'*) printf '{"jsonrpc":"2.0","id":%s,"result":{}}\n' "$id" ;;
            esac
        done
        """#

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/switchboard-gateway-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(Self.script.utf8).write(to: URL(fileURLWithPath: folder + "/server.sh"))
    }

    deinit {
        loops.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var stateFolder: String { folder + "/state" }

    /// An upstream with those tools.
    func upstream(
        _ name: String, tools: [String], instances: UpstreamDefinition.Instances = .shared, timeout: Duration = .seconds(20), line: Int = 1
    ) -> UpstreamDefinition {
        UpstreamDefinition(
            name: name, endpoint: .command("/bin/sh", arguments: ["server.sh"] + tools, environment: [], directory: folder), era: .legacy,
            instances: instances, timeout: timeout, position: SourcePosition(file: "gateway.yaml", line: line, column: 1))
    }

    /// An upstream whose program does not exist.
    func absentUpstream(_ name: String) -> UpstreamDefinition {
        UpstreamDefinition(
            name: name, endpoint: .command("/nonexistent/path/server", arguments: [], environment: [], directory: folder), era: .legacy,
            timeout: .seconds(20), position: Self.position)
    }

    func settings(
        _ upstreams: [UpstreamDefinition], select patterns: [String], rules: [ArgumentRule] = [],
        newTools: VirtualServerDefinition.NewTools = .hold, listPage: Int = 1_000, replyBytesMax: Int = 1 << 20, parkedCallsMax: Int = 10,
        audit: AuditSettings? = nil
    ) -> Settings {
        let tools = patterns.map { text in
            let parts = text.split(separator: ".", maxSplits: 1).map(String.init)
            return ToolSelection(
                pattern: UpstreamPattern(upstream: parts[0], glob: parts[1], position: Self.position), arguments: text.contains("*") ? [] : rules)
        }
        var limits = LimitSettings()
        limits.listPage = listPage
        limits.upstreamReplyBytesMax = replyBytesMax
        limits.parkedCallsMax = parkedCallsMax
        return Settings(
            listen: [], publicURL: nil, allowedOrigins: [], upstreams: upstreams,
            virtualServers: [VirtualServerDefinition(name: "team", tools: tools, newTools: newTools, position: Self.position)],
            stateFolder: stateFolder, limits: limits, audit: audit, unresolved: [:], files: [], secretFiles: [])
    }

    /// Runs the body with a gateway on a loop, and ends the gateway whatever happens.
    func run(_ settings: Settings, _ body: @escaping @Sendable (Gateway) async throws -> Void) async throws {
        let environment = ["PATH": "/usr/bin:/bin"]
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            loops.loops[0].task { [loops] in
                let gateway = Gateway(settings, loops: loops, environment: environment)
                do {
                    try await body(gateway)
                    await gateway.stop()
                    continuation.resume()
                } catch {
                    await gateway.stop()
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}

extension Gateway {
    /// The names that a client sees.
    func toolNames() async throws -> [String?] {
        try await InProcessClient(self, server: "team", caller: .anonymous).tools().map { $0["name"]?.string }
    }

    /// What the sample server says of a call.
    func report(of tool: String, _ arguments: JSONValue = [:]) async throws -> JSONValue? {
        try await InProcessClient(self, server: "team", caller: .anonymous).call(tool, arguments: arguments)["structuredContent"]
    }

    /// The answer to a request as a client of that revision gets it; nil for silence.
    func ask(
        _ method: String, _ params: String = "{}", as caller: Caller = .anonymous, revision: Revision = .latestLegacy, capabilities: String = "{}",
        session: String? = nil, logLevel: LogLevel? = nil, cancellation: Cancellation = Cancellation(),
        to channel: any ClientChannel = SilentChannel()
    ) async throws -> JSONValue? {
        let message = try Message(scanning: Array(#"{"jsonrpc":"2.0","id":"q","method":"\#(method)","params":\#(params)}"#.utf8))
        let call = Call(
            server: "team", caller: caller, message: message, revision: revision, clientCapabilities: Array(capabilities.utf8), logLevel: logLevel,
            cancellation: cancellation, session: session)
        return try await answer(call, to: channel).map { try JSONValue(parsing: $0.bytes) }
    }
}

/// Remembers the notifications of a call.
final class NotedChannel: ClientChannel {
    private(set) var notifications: [JSONValue] = []
    func notify(_ bytes: [UInt8]) async { notifications.append((try? JSONValue(parsing: bytes)) ?? .null) }
}
