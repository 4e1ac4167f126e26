import MCPProtocol

/// What `--help` prints.
enum Help {
    static let overview = """
        Switchboard \(Product.version): one MCP server in front of many.

        Your agents and IDEs connect to Switchboard as to any MCP server. It stands in front of the real ones
        (upstreams) and shows each team a virtual server: just the tools that their work needs, renamed and narrowed.

        Usage: switchboard COMMAND [options]

          demo      see it work on this machine, with nothing to configure
          serve     serve every virtual server over HTTP
          stdio     serve one virtual server over stdin and stdout; this is what Claude or an IDE launches
          check     find every mistake in the configuration at once
          tools     list the tools that a virtual server shows
          call      call one of them
          explain   say whether somebody may make a call, and which rule decides
          accept    let patterns take the tools that an upstream has added since
          key       make, list and revoke API keys
          import    turn an `mcpServers` JSON (Claude Desktop, Cursor, VS Code) into a configuration
          snippet   print what a client needs to reach a virtual server, ready to be pasted

          --version, --help, COMMAND --help

        Start with:  switchboard demo
        Then:        switchboard import ~/.config/Claude/claude_desktop_config.json > gateway.yaml

        Results go to standard output, everything else to standard error.
        Exit status: 0 done; 1 it ran and the answer is no; 2 the command line is wrong.
        """

    static let config = "  --config FILE   the configuration (default: gateway.yaml in this folder)"
    static let who = "the caller, as in user:alice,group:admins or client:ci-bot"
}
