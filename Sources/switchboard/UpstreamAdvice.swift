import Transport

/// What to do about an upstream that does not answer, from what it is and from why it does not.
struct UpstreamAdvice {
    let text: String

    init(_ upstream: UpstreamDefinition, failure: String) {
        guard case .command(let program, _, _, _) = upstream.endpoint else {
            text = "make sure that it runs and that its address and credential are right"
            return
        }
        text =
            if failure.contains("no program called") {
                "install it, or write its whole path in `command`" + Self.source(of: program)
            } else if failure.contains("there is no program") {
                "install it there, or mend the path in `command`"
            } else if failure.contains("may not be run") {
                "chmod +x it, or name the program that runs it in `command` and the file in `args`"
            } else if failure.contains("there is no directory") {
                "create it, or mend `cwd`"
            } else {
                "run `command` with its `args` by hand: it must start and speak MCP on its standard streams; variables that it needs belong in `env`"
            }
    }

    private static func source(of program: String) -> String {
        switch program {
        case "uvx", "uv": " (uvx is part of uv: https://docs.astral.sh/uv)"
        case "npx", "node", "npm": " (\(program) is part of Node.js: https://nodejs.org)"
        default: ""
        }
    }
}
