import Network

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the demo sets up: a folder with a configuration, and an HTTP upstream that runs by itself.
struct DemoStage: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Path of gateway.yaml.
    let configuration: String
    /// The folder that it lies in.
    let folder: String
    /// Path of this program.
    let program: String
    /// Why the public server from PyPI is left out, where it is.
    let notice: String?
    /// The upstream that wants a token, and prints what calls came with.
    let github: DemoProcess
    /// The review agent's own key.
    let agentKey: String
    private let tickets: DemoProcess

    /// The virtual server that clients see, as a person would write it.
    static let virtualServer = """
        title: Help desk
        instructions: Look for an open ticket before you create one.
        tools:
          - tickets.list_tickets
          - tool: tickets.create_ticket
            as: report_problem
            description: Report a problem to the help desk.
            arguments:
              project:  { fixed: DESK }              # always sent, never shown
              priority: { allow: [low, normal] }     # agents can't cry wolf
              draft:    { hidden: true }             # not for agents
          - notes.add_note
          - notes.search_notes
          - calculator.*
        access: everyone
        """

    static func set(loops: LoopGroup) async throws -> DemoStage {
        let program = try path(ofProgram: "switchboard")
        let sample = try path(ofProgram: "sample-server")
        let folder = temporaryFolder() + "/switchboard-demo-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: folder + "/virtual-servers", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let loop = loops.loops[0]
        let http = ["--transport", "http", "--era", "modern", "--until-input-ends"]
        let token = "ghs_demo\(UInt32.random(in: 100_000...999_999))"
        let tickets = try DemoProcess(sample, ["tickets"] + http, in: folder, on: loop)
        let github = try DemoProcess(
            sample, ["github", "--bearer-from", "GITHUB_TOKEN", "--show-authorization"] + http, environment: [("GITHUB_TOKEN", token)],
            in: folder, on: loop)
        do {
            guard let ticketsURL = await tickets.address(), let githubURL = await github.address() else {
                throw Failure(description: "the sample servers did not start")
            }
            let time = Configured.environment["SWITCHBOARD_DEMO_TIME_SERVER"].flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }
            try write(folder, ticketsURL: ticketsURL, githubURL: githubURL, token: token, sample: sample, time: time)
            let configuration = folder + "/gateway.yaml"
            let key = try DemoProcess(program, ["key", "new", "pr-review-bot", "--config", configuration], in: folder, on: loop)
            guard let agentKey = await key.line() else { throw Failure(description: "no key could be made") }
            await key.end()
            return DemoStage(
                configuration: configuration, folder: folder, program: program,
                notice: time == nil ? "(mcp-server-time from PyPI is left out: it is not installed; `make demo` tries to)" : nil, github: github,
                agentKey: agentKey, tickets: tickets)
        } catch {
            await tickets.end()
            await github.end()
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    func clear() async {
        await tickets.end()
        await github.end()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func write(_ folder: String, ticketsURL: String, githubURL: String, token: String, sample: String, time: String?) throws {
        var gateway = """
            state: \(folder)/state
            identity: { anonymous: true, keys_file: keys.yaml }
            audit: { file: audit.jsonl }
            upstreams:
              tickets:
                url: \(ticketsURL)
              github:
                url: \(githubURL)
                credential: { bearer: "${file:github.token}" }
              notes:
                command: \(sample)
                args: [notes, --transport, stdio, --era, legacy]
              calculator:
                command: \(sample)
                args: [calculator, --transport, stdio, --era, modern]

            """
        var server = virtualServer
        if let time {
            gateway += "  time:\n    command: \(time)\n    args: [--local-timezone, UTC]\n"
            server = server.replacing("access: everyone", with: "  - time.*\naccess: everyone")
        }
        let files = [
            ("github.token", token), ("gateway.yaml", gateway), ("virtual-servers/help-desk.yaml", server),
            ("virtual-servers/review.yaml", ReviewScene.virtualServer),
        ]
        for (name, text) in files {
            let path = "\(folder)/\(name)"
            let isWritten = FileManager.default.createFile(atPath: path, contents: Data((text + "\n").utf8), attributes: [.posixPermissions: 0o600])
            guard isWritten else { throw Failure(description: "\(path) can't be written") }
        }
    }

    /// Programs of this product lie beside each other.
    private static func path(ofProgram name: String) throws -> String {
        let own = Configured.executablePath
        let path = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/" + name
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure(description: "\(path) is missing; build it with `make build`")
        }
        return path
    }

    private static func temporaryFolder() -> String {
        guard let folder = Configured.environment["TMPDIR"], !folder.isEmpty else { return "/tmp" }
        return folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    }
}
