import JSON

/// One sample server: its name, its tools, and its answers in either era. Edges bring the messages and take the answers away.
final class SampleServer: Sendable {
    /// What is due to a request.
    enum Answer {
        /// A result's JSON text.
        case result([UInt8])
        case fault(Fault)
        /// A tool that takes its time; `finish` makes the result of what it answers.
        case slow(Tool, Arguments)
    }

    let name: String
    let title: String
    let eras: Eras
    private let instructions: String
    private let identity: [UInt8]
    private let tools: [String: Tool]
    private let pages: [ToolPage]

    /// `pageSize` tools are listed at a time; nil lists all of them at once.
    init(name: String, title: String, instructions: String, tools: [Tool], eras: Eras, pageSize: Int? = nil) {
        self.name = name
        self.title = title
        self.instructions = instructions
        identity = Array(Self.identity(name, title).utf8)
        self.eras = eras
        self.tools = Dictionary(tools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        pages = ToolPage.pages(of: tools.map(\.definition), size: pageSize ?? max(1, tools.count), identity: Self.identity(name, title))
    }

    /// The answer to a request whose era is settled and whose envelope has been checked.
    func answer(_ message: Incoming, _ era: Era) -> Answer {
        switch (message.method, era) {
        case ("tools/call", _): call(message, era)
        case ("tools/list", _): list(message, era)
        case ("server/discover", .modern): .result(discovery)
        case ("initialize", .legacy): .result(welcome(message))
        case ("ping", .legacy): .result(Array("{}".utf8))
        default: .fault(.unknownMethod(message.method, era))
        }
    }

    /// A slow tool's result.
    func finish(_ tool: Tool, _ arguments: Arguments, _ era: Era, report: (Progress) async -> Void) async -> [UInt8] {
        guard case .slow(let act) = tool.action else { return wrap([], era) }
        do throws(ToolFailure) {
            return wrap(try await act(arguments, report).members, era)
        } catch {
            return wrap(ToolResult(text: error.text, isError: true).members, era)
        }
    }

    /// The revision that an `initialize` settles on.
    func negotiated(_ message: Incoming) -> String {
        Revision.legacy.first { $0 == message.protocolVersion } ?? Revision.legacy[0]
    }

    /// The tool's arguments that HTTP clients mirror into fields: field name in lower case, argument.
    func mirroredArguments(of tool: String?) -> [(field: String, argument: String)] {
        guard let properties = tool.flatMap({ tools[$0] })?.input["properties"]?.members else { return [] }
        return properties.compactMap { property in
            property.value["x-mcp-header"]?.string.map { ("mcp-param-" + $0.lowercased(), property.key) }
        }
    }

    private func call(_ message: Incoming, _ era: Era) -> Answer {
        guard let name = message.name else { return .fault(.invalidParams("“params.name” is missing.")) }
        guard let tool = tools[name] else { return .fault(.invalidParams("Unknown tool: \(name)")) }
        if case .raw(let act) = tool.action { return .result(wrap(act(message.bytes[message.arguments ?? 0..<0]), era)) }
        var values = JSONValue.object([])
        if let range = message.arguments {
            do throws(JSONError) { values = try JSONValue(parsing: range, of: message.bytes) } catch { return .fault(.parse) }
        }
        guard case .quick(let act) = tool.action else { return .slow(tool, Arguments(values: values)) }
        do throws(ToolFailure) {
            return .result(wrap(try act(Arguments(values: values)).members, era))
        } catch {
            return .result(wrap(ToolResult(text: error.text, isError: true).members, era))
        }
    }

    private func list(_ message: Incoming, _ era: Era) -> Answer {
        let index = message.cursor.map { Int($0) ?? -1 } ?? 0
        guard pages.indices.contains(index) else { return .fault(.invalidParams("This cursor is not one of ours.")) }
        return .result(era == .modern ? pages[index].modern : pages[index].legacy)
    }
}

extension SampleServer {
    static func identity(_ name: String, _ title: String) -> String {
        #"{"name":"sample-\#(name)","title":\#(JSONValue.string(title).text),"version":"1.0.0"}"#
    }

    private var discovery: [UInt8] {
        let versions = JSONValue.array(eras.revisions.map { .string($0) }).text
        let text = """
            {"resultType":"complete","supportedVersions":\(versions),"capabilities":{"tools":{}},"instructions":\(JSONValue.string(instructions).text),\
            "ttlMs":3600000,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":\(Self.identity(name, title))}}
            """
        return Array(text.utf8)
    }

    private func welcome(_ message: Incoming) -> [UInt8] {
        let text = """
            {"protocolVersion":"\(negotiated(message))","capabilities":{"tools":{}},"serverInfo":\(Self.identity(name, title)),\
            "instructions":\(JSONValue.string(instructions).text)}
            """
        return Array(text.utf8)
    }

    private func wrap(_ members: [UInt8], _ era: Era) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(members.count + 200)
        bytes.append(era == .modern ? "{\"resultType\":\"complete\"," : "{")
        bytes.append(contentsOf: members)
        if era == .modern {
            bytes.append(",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":")
            bytes.append(contentsOf: identity)
            bytes.append("}")
        }
        bytes.append("}")
        return bytes
    }
}
