import Diagnostics
import Foundation
import JSON
import Testing
import Transport

@testable import Gateway

@Suite("Changes of a gateway's configuration")
struct ReloadTests {
    @Test("an upstream whose definition is the same goes on; one that changed is replaced, and its process ends")
    func apply() async throws {
        let stage = try Stage()
        let before = stage.settings(
            [stage.upstream("same", tools: ["get"]), stage.upstream("other", tools: ["get"])], select: ["same.get", "other.get"])
        let after = stage.settings(
            [stage.upstream("same", tools: ["get"], line: 7), stage.upstream("other", tools: ["get", "more"])], select: ["same.get", "other.get"])
        try await stage.run(before) { gateway async throws in
            _ = try await gateway.toolNames()
            let same = try await gateway.report(of: "same_get")?["pid"]?.integer
            let other = try await gateway.report(of: "other_get")?["pid"]?.integer
            let old = try #require(gateway.snapshot.upstreams["other"])
            gateway.apply(after)
            _ = try await gateway.toolNames()
            #expect(try await gateway.report(of: "same_get")?["pid"]?.integer == same)
            let new = try await gateway.report(of: "other_get")?["pid"]?.integer
            #expect(new != nil && new != other)
            await old.stop()
            #expect(old.status.state == .stopped)
            #expect(kill(pid_t(try #require(other)), 0) == -1)
        }
    }

    @Test("an upstream that is taken out takes its tools along, and clients are told")
    func removal() async throws {
        let stage = try Stage()
        let (a, b) = (stage.upstream("a", tools: ["get"]), stage.upstream("b", tools: ["get"]))
        try await stage.run(stage.settings([a, b], select: ["a.get", "b.get"])) { gateway async throws in
            #expect(try await gateway.toolNames() == ["a_get", "b_get"])
            let listener = gateway.changes.listen(to: "team", as: .anonymous)
            gateway.apply(stage.settings([a], select: ["a.get"]))
            #expect(await listener.changes.next().map { "\($0)" } == "tools")
            #expect(try await gateway.toolNames() == ["a_get"])
            #expect(try await gateway.ask("tools/call", #"{"name":"b_get"}"#)?["error"]?["message"] == "Unknown tool: b_get")
        }
    }

    @Test("a configuration with mistakes is not used: the old one serves on, and `/readyz` says why")
    func reject() async throws {
        let stage = try Stage()
        let settings = stage.settings([stage.upstream("up", tools: ["get"])], select: ["up.get"])
        try await stage.run(settings) { gateway async throws in
            #expect(gateway.readiness().report["configuration"] == ["state": "current", "problems": []])
            gateway.reject([Problem("it is wrong", at: Stage.position, fix: "mend it")])
            #expect(
                gateway.readiness().report["configuration"] == ["state": "rejected", "problems": ["gateway.yaml:1:1: it is wrong; mend it"]])
            #expect(gateway.readiness().isReady)
            #expect(try await gateway.toolNames() == ["up_get"])
            gateway.apply(settings)
            #expect(gateway.readiness().report["configuration"]?["state"] == "current")
        }
    }

    @Test("virtual servers are found by name, and one without a name only when it is clear which")
    func names() async throws {
        let stage = try Stage()
        var settings = stage.settings([], select: [])
        try await stage.run(settings) { gateway async throws in
            #expect(gateway.server(named: "team") == "team")
            #expect(gateway.server(named: nil) == "team")
            #expect(gateway.server(named: "other") == nil)
            #expect(gateway.server(named: "Team") == nil)
            #expect(gateway.describe("other") == nil)
        }
        settings.virtualServers.append(settings.virtualServers[0])
        settings.virtualServers[1].name = "two"
        try await stage.run(settings) { #expect($0.server(named: nil) == nil) }
        settings.virtualServers[1].name = "default"
        try await stage.run(settings) { #expect($0.server(named: nil) == "default") }
    }
}

@Suite("What outlives a gateway")
struct StateTests {
    @Test("tools that are new since the first list are held back, also by the next gateway, until they are accepted")
    func baselines() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["a", "b"])], select: ["up.*"])) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_a", "up_b"])
        }
        let grown = [stage.upstream("up", tools: ["b", "c"])]
        try await stage.run(stage.settings(grown, select: ["up.*"])) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_b"])
            let accepted = try gateway.accept("up")
            #expect(accepted?.added == ["c"])
            #expect(accepted?.removed == ["a"])
            #expect(try gateway.accept("nothing") == nil)
        }
        try await stage.run(stage.settings(grown, select: ["up.*"])) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_b", "up_c"])
        }
    }

    @Test("only the owner may look at it")
    func permissions() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["a"])], select: ["up.*"])) { _ = try await $0.toolNames() }
        _ = try StateFolder.seal(in: stage.stateFolder)
        func mode(_ path: String) throws -> Int? {
            (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
        }
        #expect(try mode(stage.stateFolder) == 0o700)
        #expect(try mode(stage.stateFolder + "/baselines.json") == 0o600)
        #expect(try mode(stage.stateFolder + "/seal.key") == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: stage.stateFolder).sorted() == ["baselines.json", "seal.key"])
    }

    @Test("the key that seals sessions is made once; a folder that can't be written has one for the process")
    func seal() throws {
        let stage = try Stage()
        let sealed = try StateFolder.seal(in: stage.stateFolder).seal([1, 2], for: "test")
        #expect(try StateFolder.seal(in: stage.stateFolder).open(sealed, for: "test") == [1, 2])
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: stage.folder + "/file"))
        _ = try StateFolder.seal(in: stage.folder + "/file/state")
    }
}
