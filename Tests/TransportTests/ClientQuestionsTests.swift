import JSON
import MCPProtocol
import Network
import Synchronization
import Testing

@testable import Transport

@Suite("What legacy clients are asked")
struct ClientQuestionsTests {
    private let questions = ClientQuestions()

    private func response(_ id: String, _ rest: String = #""result":{"roots":[]}"#) throws -> Message {
        try message(#"{"jsonrpc":"2.0","id":\#(id),\#(rest)}"#)
    }

    @Test("a client answers only what it was asked itself, once")
    func own() throws {
        let count = Mutex(0)
        let id = try #require(questions.open(for: "a") { _ in count.withLock { $0 += 1 } })
        questions.take(try response("\"\(id)\""), from: "b")
        questions.take(try response("1"), from: "a")
        questions.take(try response("\"other\""), from: "a")
        #expect(count.withLock { $0 } == 0)
        questions.take(try response("\"\(id)\""), from: "a")
        questions.take(try response("\"\(id)\""), from: "a")
        #expect(count.withLock { $0 } == 1)
    }

    @Test("one client has so many questions open and no more, and frees them when it goes")
    func bounds() throws {
        let gone = Mutex(0)
        for _ in 0..<64 {
            let id = questions.open(for: "a") { answer in
                if case .refusal = answer { gone.withLock { $0 += 1 } }
            }
            #expect(id != nil)
        }
        #expect(questions.open(for: "a") { _ in } == nil)
        #expect(questions.open(for: "b") { _ in } != nil)
        questions.forget("a")
        #expect(gone.withLock { $0 } == 64)
        #expect(questions.open(for: "a") { _ in } != nil)
    }

    @Test("what is withdrawn is told to the client once, unless it has answered")
    func withdrawal() throws {
        var call = CallQuestions(questions, client: "a")
        var ids: [JSONValue] = []
        for key in ["1", "2", "3"] {
            let question = try #require(Question(key: key, method: .listRoots, params: [:]))
            let bytes = call.ask(question) { _ in }
            let request = try JSONValue(parsing: try #require(bytes))
            #expect(request["method"] == "roots/list")
            ids.append(request["id"] ?? .null)
        }
        questions.take(try response(String(decoding: ids[0].bytes, as: UTF8.self)), from: "a")
        let first = call.withdraw("2")
        let rest = call.withdraw(nil)
        #expect(try first.map { try JSONValue(parsing: $0)["params"]?["requestId"] } == [ids[1]])
        #expect(try rest.map { try JSONValue(parsing: $0)["params"]?["requestId"] } == [ids[2]])
        #expect(call.withdraw(nil).isEmpty)
    }
}
