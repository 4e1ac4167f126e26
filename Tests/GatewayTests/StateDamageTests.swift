import Foundation
import Testing

@testable import Gateway

@Suite("A state folder in which something is wrong")
struct StateDamageTests {
    /// A stage whose folder has that baseline file.
    private func stage(baselines: String) throws -> Stage {
        let stage = try Stage()
        try FileManager.default.createDirectory(atPath: stage.stateFolder, withIntermediateDirectories: true)
        try Data(baselines.utf8).write(to: URL(fileURLWithPath: stage.stateFolder + "/baselines.json"))
        return stage
    }

    private func content(_ name: String, of stage: Stage) -> String? { try? String(contentsOfFile: stage.stateFolder + "/" + name, encoding: .utf8) }

    @Test(
        "baselines that can't be made sense of hold back all that patterns would take, and stay as they are",
        arguments: ["{", "", "[]", #"{"up":5}"#, #"{"up":["a",5]}"#, #"{"up":["a"],"other":{}}"#])
    func damaged(_ text: String) async throws {
        let stage = try stage(baselines: text)
        let settings = stage.settings([stage.upstream("up", tools: ["a", "b"])], select: ["up.*", "up.b"])
        for _ in 1...2 {
            try await stage.run(settings) { gateway async throws in
                #expect(try await gateway.toolNames() == ["up_b"])
                let problem = gateway.readiness().report["state"]?["problems"]?.array?.first?.string ?? ""
                #expect(problem.contains("/baselines.json: it is damaged: patterns take no tool"))
                #expect(problem.contains("switchboard accept UPSTREAM"))
            }
            #expect(content("baselines.json", of: stage) == text)
        }
        #expect(StateFolder.problems(in: stage.stateFolder).problems.count == 1)
    }

    @Test("after damage each upstream is accepted by itself, and the damaged file stays until a person removes it")
    func accepted() async throws {
        let stage = try stage(baselines: "{")
        let settings = stage.settings([stage.upstream("up", tools: ["a"]), stage.upstream("other", tools: ["b"])], select: ["up.*", "other.*"])
        try await stage.run(settings) { gateway async throws in
            #expect(try await gateway.toolNames() == [])
            #expect(try gateway.accept("up")?.added == ["a"])
            gateway.reloadBaselines()
            #expect(try await gateway.toolNames() == ["up_a"])
        }
        #expect(content("baselines.json.damaged", of: stage) == "{")
        try await stage.run(settings) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_a"])
            #expect(gateway.baselines.defect?.contains("baselines.json.damaged is still there") == true)
            try FileManager.default.removeItem(atPath: stage.stateFolder + "/baselines.json.damaged")
            gateway.reloadBaselines()
            #expect(try await gateway.toolNames() == ["up_a", "other_b"])
            #expect(gateway.readiness().report["state"] == ["problems": []])
        }
    }

    @Test("damage while a gateway runs takes nothing away that it knew")
    func damagedMeanwhile() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["a"])], select: ["up.*"])) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_a"])
            try Data("{".utf8).write(to: URL(fileURLWithPath: stage.stateFolder + "/baselines.json"))
            gateway.reloadBaselines()
            #expect(try await gateway.toolNames() == ["up_a"])
            #expect(gateway.baselines.defect != nil)
        }
        #expect(content("baselines.json", of: stage) == "{")
    }

    @Test("accepting throws with the system's words when it can't be kept, and changes nothing")
    func unkept() async throws {
        let stage = try stage(baselines: #"{"up":["a"]}"#)
        // Even root can't write where a folder stands in the way.
        try FileManager.default.createDirectory(
            atPath: stage.stateFolder + "/baselines.json.\(getpid()).tmp", withIntermediateDirectories: true)
        try await stage.run(stage.settings([stage.upstream("up", tools: ["a", "b"])], select: ["up.*"])) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_a"])
            #expect { _ = try gateway.accept("up") } throws: { "\($0)" == "\(stage.stateFolder)/baselines.json: File exists" }
            gateway.reloadBaselines()
            #expect(try await gateway.toolNames() == ["up_a"])
        }
    }

    @Test("a file that can't even be read is neither replaced nor set aside")
    func unreadable() async throws {
        let stage = try Stage()
        try FileManager.default.createDirectory(atPath: stage.stateFolder + "/baselines.json", withIntermediateDirectories: true)
        try await stage.run(stage.settings([stage.upstream("up", tools: ["a"])], select: ["up.*"])) { gateway async throws in
            #expect(try await gateway.toolNames() == [])
            #expect { _ = try gateway.accept("up") } throws: { "\($0)".hasSuffix("/baselines.json: Is a directory") }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: stage.stateFolder) == ["baselines.json"])
    }

    @Test("a key of another length is refused, not replaced")
    func wrongKey() throws {
        let stage = try stage(baselines: "{}")
        let path = stage.stateFolder + "/seal.key"
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        #expect { _ = try StateFolder.seal(in: stage.stateFolder) } throws: { "\($0)".hasPrefix("\(path): it holds 3 bytes where a key has 32;") }
        #expect(content("seal.key", of: stage) == "\u{1}\u{2}\u{3}")
        #expect(StateFolder.problems(in: stage.stateFolder).problems.count == 1)
    }

    @Test("looking for problems finds a folder that can't be written, and leaves nothing behind")
    func unwritable() throws {
        let stage = try Stage()
        try Data().write(to: URL(fileURLWithPath: stage.folder + "/file"))
        for folder in ["/file/state", "/file"] {
            let (problems, warnings) = StateFolder.problems(in: stage.folder + folder)
            #expect(problems == [])
            #expect(warnings.count == 1 && warnings[0].contains("\(folder): Not a directory"), "\(warnings)")
        }
        let before = try FileManager.default.contentsOfDirectory(atPath: stage.folder)
        #expect(StateFolder.problems(in: stage.folder + "/a/b/c") == ([], []))
        #expect(try FileManager.default.contentsOfDirectory(atPath: stage.folder) == before)
    }
}
