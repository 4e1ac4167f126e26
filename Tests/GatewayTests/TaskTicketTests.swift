import Auth
import JSON
import MCPProtocol
import Testing
import Transport
import VirtualServers

@testable import Gateway

@Suite("Task ids")
struct TaskTicketTests {
    private let seal: Seal

    init() throws { seal = try Seal(key: Array(0..<32)) }

    private func call(server: String = "team", by who: String = "user:alice") throws -> Call {
        let message = try Message(scanning: Array(#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{}}"#.utf8))
        return Call(
            server: server, caller: try .assumed(parsing: who), message: message, revision: .latestModern, clientCapabilities: Array("{}".utf8),
            logLevel: nil, cancellation: Cancellation())
    }

    private func ticket(_ text: String = #"{"taskId":"theirs","status":"working"}"#) throws -> TaskTicket {
        let definition = try ToolDefinition(parsing: Array(#"{"name":"t","inputSchema":{}}"#.utf8))
        let pattern = UpstreamPattern(upstream: "up", glob: "*", position: Stage.position)
        let server = VirtualServerDefinition(name: "team", tools: [ToolSelection(pattern: pattern)], newTools: .show, position: Stage.position)
        let exposure = Exposure(server, catalogues: ["up": Catalogue(Offer(tools: [definition]), baseline: ["t"])])
        let state = try #require(TaskState(try JSONValue(parsing: Array(text.utf8)), era: .legacy))
        return TaskTicket(state, of: try call(), on: exposure.tools[0], under: "grant")
    }

    @Test("an id says where the task is and how it was permitted, to any instance with the key")
    func opens() throws {
        let opened = try #require(TaskTicket(opening: try ticket().sealed(with: seal), with: seal))
        #expect(opened.upstream == "up" && opened.tool == "up_t" && opened.upstreamTool == "t")
        #expect(opened.id == "theirs" && opened.era == .legacy && opened.grant == "grant")
    }

    @Test("it belongs to its caller and virtual server", arguments: ["user:bob", "client:alice", "user:alice,client:x", "user:Alice"])
    func belongs(_ other: String) throws {
        let opened = try #require(TaskTicket(opening: try ticket().sealed(with: seal), with: seal))
        #expect(opened.belongs(to: try call()))
        #expect(opened.belongs(to: try call(by: "user:alice,group:new")))
        #expect(!opened.belongs(to: try call(by: other)))
        #expect(!opened.belongs(to: try call(server: "other")))
    }

    @Test("anything else is none: changed at any place, cut, sealed with another key or for another purpose")
    func forged() throws {
        let id = try ticket().sealed(with: seal)
        for place in id.indices {
            var bytes = Array(id.utf8)
            let at = id.utf8.distance(from: id.startIndex, to: place)
            bytes[at] = bytes[at] == UInt8(ascii: "A") ? UInt8(ascii: "Q") : UInt8(ascii: "A")
            #expect(TaskTicket(opening: String(decoding: bytes, as: UTF8.self), with: seal) == nil)
            #expect(TaskTicket(opening: String(id[..<place]), with: seal) == nil)
        }
        #expect(TaskTicket(opening: id, with: try Seal(key: Array(1...32))) == nil)
        #expect(TaskTicket(opening: try seal.seal(Array("[]".utf8), for: "session"), with: seal) == nil)
        #expect(TaskTicket(opening: try seal.seal(Array("[]".utf8), for: "task"), with: seal) == nil)
    }

    @Test("the longest id of an upstream makes one that fits in a header")
    func fits() throws {
        let long = String(repeating: "\\u0001", count: TaskState.idBytesMax)
        let id = try ticket(#"{"taskId":"\#(long)","status":"working"}"#).sealed(with: seal)
        #expect(id.utf8.count < 6_144 && TaskTicket(opening: id, with: seal) != nil)
    }
}
