/// What a snippet is for.
enum SnippetClient: String, CaseIterable {
    case claudeDesktop = "claude-desktop"
    case claudeCode = "claude-code"
    case cursor
    case vscode
    case python
    case typescript

    /// Where what is printed belongs.
    var place: String {
        switch self {
        case .claudeDesktop: "claude_desktop_config.json (Settings → Developer → Edit Config)"
        case .claudeCode: ".mcp.json in the project's folder"
        case .cursor: ".cursor/mcp.json in the project's folder, or ~/.cursor/mcp.json"
        case .vscode: ".vscode/mcp.json in the workspace"
        case .python: "a file of its own; needs `pip install \"mcp>=2\"`"
        case .typescript: "a file of its own (.mts); needs `npm install @modelcontextprotocol/sdk`"
        }
    }

    /// Whether a person sits before it, whom it can send to a browser to sign in.
    var isInteractive: Bool { self == .claudeCode || self == .cursor || self == .vscode }
}
