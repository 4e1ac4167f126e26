import Auth
import Configuration
import Diagnostics
import Foundation
import Testing

@testable import Gateway

@Suite("Keys while the gateway runs")
struct KeyReloadTests {
    private static let gateway = "identity: { keys_file: keys.yaml }\nupstreams: { a: { command: a } }\n"

    /// A stage whose folder holds a configuration with one key.
    private func stage() throws -> (stage: Stage, file: KeysFile, settings: Settings, key: String) {
        let stage = try Stage()
        try write(Self.gateway, to: stage.folder + "/gateway.yaml")
        try FileManager.default.createDirectory(atPath: stage.folder + "/virtual-servers", withIntermediateDirectories: true)
        try write("access: everyone\n", to: stage.folder + "/virtual-servers/team.yaml")
        let file = try KeysFile(ofConfiguration: stage.folder + "/gateway.yaml")
        let text = try APIKeyText()
        let key = try APIKey(text, name: "bot", groups: [], created: 0, expires: nil)
        try file.change { $0.append(key) }
        return (stage, file, try load(stage), text.text.reveal())
    }

    private func load(_ stage: Stage) throws -> Settings {
        let loaded = Settings.load(path: stage.folder + "/gateway.yaml", environment: ["HOME": stage.folder])
        guard case .settings(let settings, _) = loaded else { throw KeysFileError(loaded.problems) }
        return settings
    }

    private func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

    @Test("the keys file is among the files that are watched")
    func watched() throws {
        let (_, file, settings, _) = try stage()
        #expect(settings.files.contains(file.path) && settings.identity.isConfigured && !settings.identity.anonymous)
    }

    @Test("a revoked key ends with the next reading of the configuration, and what it opened")
    func revoked() async throws {
        let (stage, file, settings, key) = try stage()
        try await stage.run(settings) { gateway async throws in
            let caller = try await gateway.identity.identify(Presented(apiKey: key))
            try file.change { $0 = [] }
            gateway.apply(try load(stage))
            #expect(!gateway.identity.isStillGood(caller) && gateway.identity.remembered(Presented(apiKey: key)) == nil)
        }
    }

    @Test("a revoked key ends although gateway.yaml has a mistake at that moment")
    func revokedMeanwhile() async throws {
        let (stage, file, settings, key) = try stage()
        try await stage.run(settings) { gateway async throws in
            let caller = try await gateway.identity.identify(Presented(apiKey: key))
            try write("upstreams: [\n", to: stage.folder + "/gateway.yaml")
            try file.change { $0 = [] }
            gateway.reject([])
            gateway.reloadKeys()
            #expect(!gateway.identity.isStillGood(caller))
        }
    }

    @Test("a keys file that is broken changes nothing")
    func broken() async throws {
        let (stage, file, settings, key) = try stage()
        try await stage.run(settings) { gateway async throws in
            try write("keys: 7\n", to: file.path)
            #expect(throws: KeysFileError.self) { try load(stage) }
            gateway.reloadKeys()
            #expect(gateway.identity.remembered(Presented(apiKey: key)) != nil)
        }
    }
}
