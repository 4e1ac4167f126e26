import Auth
import Diagnostics
import JSON
import MCPProtocol

@testable import VirtualServers

func line(_ number: Int) -> SourcePosition { SourcePosition(file: "virtual-servers/team.yaml", line: number, column: 3) }

func tree(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

/// A catalogue of tools without arguments; all of them are the baseline unless told otherwise.
func catalogue(_ names: String..., baseline: Set<String>? = nil) throws -> Catalogue {
    let tools = try names.map { try ToolDefinition(["name": .string($0), "inputSchema": ["type": "object"]]) }
    return Catalogue(Offer(tools: tools), baseline: baseline ?? Set(names))
}

/// `upstream.pattern`, at that line.
func select(
    _ text: String, as name: String? = nil, description: String? = nil, arguments: [ArgumentRule] = [], line number: Int = 1
) -> ToolSelection {
    let parts = text.split(separator: ".", maxSplits: 1).map(String.init)
    return ToolSelection(
        pattern: UpstreamPattern(upstream: parts[0], glob: parts[1], position: line(number)), exposedName: name, description: description,
        arguments: arguments)
}

func server(
    _ tools: ToolSelection..., naming: VirtualServerDefinition.Naming = .prefixed, newTools: VirtualServerDefinition.NewTools = .hold
) -> VirtualServerDefinition {
    VirtualServerDefinition(name: "team", naming: naming, tools: tools, newTools: newTools, position: line(1))
}

func rule(
    _ name: String, fixed: JSONValue? = nil, default: JSONValue? = nil, allow: [JSONValue]? = nil, hidden: Bool = false
) -> ArgumentRule {
    ArgumentRule(name: name, fixed: fixed, default: `default`, allow: allow, hidden: hidden, position: line(9))
}
