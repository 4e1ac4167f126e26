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
    /// Path of this program.
    let program: String
    /// Why the public server from PyPI is left out, where it is.
    let notice: String?
    private let folder: String
    private let tickets: ChildProcess

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
        let address = Mailbox<String>(capacity: 1)
        let events = ChildEvents(
            onLine: { _ in },
            onLog: { line in if let start = line.firstRange(of: "http://") { _ = address.send(String(line[start.lowerBound...])) } },
            onExit: { _ in address.close() }, onOverlongLine: {})
        let command = ChildCommand(
            executable: sample, arguments: ["tickets", "--transport", "http", "--era", "modern", "--until-input-ends"],
            environment: Configured.environment.map { ($0.key, $0.value) }, directory: folder)
        let tickets = try ChildProcess.spawn(command, on: loops.loops[0], lineBytesMax: 65_536, queuedBytesMax: 65_536, events: events)
        guard case .element(let url) = await address.next(within: .seconds(10)) else {
            await tickets.terminate(grace: .seconds(1))
            throw Failure(description: "the sample server did not start")
        }
        let time = Configured.environment["SWITCHBOARD_DEMO_TIME_SERVER"].flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }
        let stage = DemoStage(
            configuration: folder + "/gateway.yaml", program: program,
            notice: time == nil ? "(mcp-server-time from PyPI is left out: it is not installed; `make demo` tries to)" : nil, folder: folder,
            tickets: tickets)
        try stage.write(ticketsURL: url, sample: sample, time: time)
        return stage
    }

    func clear() async {
        await tickets.terminate(grace: .seconds(1))
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func write(ticketsURL: String, sample: String, time: String?) throws {
        var gateway = """
            state: \(folder)/state
            upstreams:
              tickets:
                url: \(ticketsURL)
              notes:
                command: \(sample)
                args: [notes, --transport, stdio, --era, legacy]
              calculator:
                command: \(sample)
                args: [calculator, --transport, stdio, --era, modern]

            """
        var server = Self.virtualServer
        if let time {
            gateway += "  time:\n    command: \(time)\n    args: [--local-timezone, UTC]\n"
            server = server.replacing("access: everyone", with: "  - time.*\naccess: everyone")
        }
        try Data(gateway.utf8).write(to: URL(fileURLWithPath: configuration))
        try Data((server + "\n").utf8).write(to: URL(fileURLWithPath: folder + "/virtual-servers/help-desk.yaml"))
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
