import JSON
import MCPProtocol
import Transport

/// What an upstream wants to know before it goes on, in the inner form (MCP 2026-07-28 basic/patterns/mrtr, "InputRequiredResult").
struct InputRequired {
    /// In one round at most.
    private static let questionsMax = 32

    var questions: [Question]
    var wait: Round.Wait
    /// The result that the upstream gave, where it gave one.
    var result: JSONValue = [:]

    init(_ questions: [Question], wait: Round.Wait) {
        self.questions = questions
        self.wait = wait
    }

    /// Nil for a response that asks nothing. Error −32042 of a legacy upstream asks too, for what a person does behind links.
    ///
    /// Throws where it asks in another form than the protocol's, or in an answer to a method in which nothing may be asked
    /// (MCP 2026-07-28 basic/patterns/mrtr, "Supported Requests").
    init?(_ response: Message, to method: MCPProtocol.Method?) throws(UpstreamError) {
        if let result = response.result, result.isInputRequired(in: response) {
            self.result = (try? JSONValue(parsing: result.range, of: response.bytes)) ?? [:]
            let (requests, state) = (self.result["inputRequests"], self.result["requestState"])
            guard state == nil || state?.string != nil else { throw .malformed("its `requestState` is no string") }
            questions = try Self.questions(in: requests)
            wait = .upstream(state: state?.string)
            guard !questions.isEmpty || state != nil else {
                throw .malformed("its `input_required` says neither what is required nor how to go on")
            }
        } else if response.errorCode == .urlElicitationRequired {
            let links = response.error.flatMap { response.value($0)["data"]?["elicitations"]?.array } ?? []
            questions = links.enumerated().compactMap { Question(key: "link-\($0 + 1)", method: .elicit, params: $1) }
            wait = .links
            guard !questions.isEmpty, questions.count == links.count, questions.allSatisfy(\.isLink) else {
                throw .malformed("its error -32042 names no links")
            }
        } else {
            return nil
        }
        guard method?.isNamed == true else { throw .malformed("it asks where nothing may be asked") }
        try checkForm()
    }

    /// What a modern upstream's task asks besides the questions with those keys (io.modelcontextprotocol/tasks, "Task Polling").
    init(_ task: TaskState, besides answered: Set<String> = []) throws(UpstreamError) {
        wait = .upstream(state: nil)
        questions = try Self.questions(in: task.inputRequests).filter { !answered.contains($0.key) }
        try checkForm()
    }

    private static func questions(in requests: JSONValue?) throws(UpstreamError) -> [Question] {
        guard requests == nil || requests?.members != nil else { throw .malformed("its `inputRequests` are no object") }
        var questions: [Question] = []
        for member in requests?.members ?? [] {
            guard let question = Question(key: member.key, request: member.value) else {
                throw .malformed("one of its `inputRequests` is none that a client can be asked")
            }
            questions.append(question)
        }
        return questions
    }

    private func checkForm() throws(UpstreamError) {
        guard questions.count <= Self.questionsMax else { throw .malformed("it asks \(questions.count) questions at once") }
        if let defect = questions.lazy.compactMap(\.defect).first { throw .malformed("it asks with a mistake: \(defect)") }
    }

    /// A client is asked only what it said it can answer (MCP 2026-07-28 basic/patterns/mrtr, "Server Requirements").
    func check(against abilities: ClientAbilities) throws(ProtocolError) {
        let missing = questions.reduce(into: ClientAbilities()) { $0.formUnion(ClientAbilities(neededFor: $1)) }.subtracting(abilities)
        guard !missing.isEmpty else { return }
        // What belongs to sampling is named with it.
        let named = missing.contains(.samplingTools) ? missing.union(.sampling) : missing
        throw ProtocolError(
            .missingClientCapability, "Missing required client capability", data: ["requiredCapabilities": named.capabilities])
    }
}
