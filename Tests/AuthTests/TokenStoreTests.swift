import CSQLite
import Foundation
import MCPProtocol
import Testing

@testable import Auth

@Suite struct TokenStoreTests {
    private let folder: Folder
    private let alice = user("alice").identity
    private let bob = user("bob").identity

    init() throws { folder = try Folder() }

    private var path: String { folder.path + "/state/tokens.db" }
    private var ringPath: String { folder.path + "/state/tokens.keys" }
    private func store() -> TokenStore { TokenStore(path: path, keys: KeyRing(.file(ringPath))) }

    @Test func `What was saved is found again, by that caller and for that upstream only`() async throws {
        let store = store()
        #expect(try await store.load(for: alice, upstream: "up") == nil)
        try await store.save([1, 2, 3], for: alice, upstream: "up")
        #expect(try await store.load(for: alice, upstream: "up") == [1, 2, 3])
        #expect(try await store.load(for: bob, upstream: "up") == nil)
        #expect(try await store.load(for: alice, upstream: "other") == nil)
        try await store.save([4], for: alice, upstream: "up")
        #expect(try await self.store().load(for: alice, upstream: "up") == [4])
        try await store.delete(for: alice, upstream: "up")
        #expect(try await store.load(for: alice, upstream: "up") == nil)
    }

    @Test func `Nobody else can read the files, and they hold neither names nor tokens`() async throws {
        let store = store()
        try await store.save(Array("refresh-me".utf8), for: alice, upstream: "up")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state") {
            let file = folder.path + "/state/" + name
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
            let data = try Data(contentsOf: URL(fileURLWithPath: file))
            for word in ["refresh-me", "alice", "login.example"] { #expect(data.range(of: Data(word.utf8)) == nil, "\(name) holds \(word)") }
        }
    }

    @Test(arguments: ["UPDATE tokens SET sealed = substr(sealed, 1, length(sealed) - 1) || x'00'", "UPDATE tokens SET sealed = x'00'"])
    func `A row that was changed does not open`(change: String) async throws {
        let store = store()
        try await store.save([1, 2, 3], for: alice, upstream: "up")
        execute(change)
        await #expect(throws: TokenStoreFailure.self) { try await store.load(for: alice, upstream: "up") }
    }

    @Test func `Rows that were exchanged between callers or upstreams do not open`() async throws {
        let store = store()
        try await store.save([1], for: alice, upstream: "up")
        try await store.save([2], for: bob, upstream: "up")
        try await store.save([3], for: alice, upstream: "other")
        execute("UPDATE tokens SET (key, sealed) = (SELECT key, sealed FROM tokens t WHERE t.owner <> tokens.owner) WHERE upstream = 'up'")
        execute("UPDATE tokens SET upstream = 'third' WHERE upstream = 'other'")
        await #expect(throws: TokenStoreFailure.self) { try await store.load(for: alice, upstream: "up") }
        await #expect(throws: TokenStoreFailure.self) { try await store.load(for: bob, upstream: "up") }
        await #expect(throws: TokenStoreFailure.self) { try await store.load(for: alice, upstream: "third") }
    }

    @Test func `A new key in front is used from then on, and old ones still open; without a stop`() async throws {
        let store = store()
        try await store.save([1], for: alice, upstream: "up")
        let old = try String(contentsOfFile: ringPath, encoding: .utf8)
        try write(Base64.encode(try Seal.random(32)) + "\n" + old)
        #expect(try await store.load(for: alice, upstream: "up") == [1])
        try await store.save([2], for: bob, upstream: "up")
        // Loading has sealed it anew: the old key can go.
        try write(String(try String(contentsOfFile: ringPath, encoding: .utf8).split(separator: "\n")[0]))
        #expect(try await store.load(for: alice, upstream: "up") == [1])
        #expect(try await store.load(for: bob, upstream: "up") == [2])
        try write(Base64.encode(try Seal.random(32)))
        await #expect(throws: TokenStoreFailure.self) { try await store.load(for: alice, upstream: "up") }
    }

    @Test func `While a ring can't be read, the one before stays in use`() async throws {
        let store = store()
        try await store.save([1], for: alice, upstream: "up")
        try write("half a k")
        #expect(try await store.load(for: alice, upstream: "up") == [1])
    }

    @Test func `A ring that others can read is refused`() async throws {
        let store = store()
        try await store.save([1], for: alice, upstream: "up")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: ringPath)
        let error = await #expect(throws: TokenStoreFailure.self) { try await self.store().load(for: alice, upstream: "up") }
        #expect(error?.description.contains("0600") == true)
    }

    @Test(arguments: ["", "short", "AAAA", "not base64 at all!"])
    func `Something else than keys is refused, unshown`(text: String) async throws {
        let keys = KeyRing(.reference(reference(.environment("K")), environment: ["K": text]))
        let error = await #expect(throws: TokenStoreFailure.self) {
            try await TokenStore(path: path, keys: keys).save([1], for: alice, upstream: "up")
        }
        if text.count > 4 { #expect(error?.description.contains(text) == false) }
    }

    @Test func `Several processes may use it at once`() async throws {
        let stores = (0..<4).map { _ in store() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, store) in stores.enumerated() {
                group.addTask {
                    for turn in 0..<20 {
                        let caller = user("user-\(index)-\(turn % 5)").identity
                        try await store.save([UInt8(turn)], for: caller, upstream: "up")
                        #expect(try await store.load(for: caller, upstream: "up") == [UInt8(turn)])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `A file that is no database is told of`() async throws {
        try FileManager.default.createDirectory(atPath: folder.path + "/state", withIntermediateDirectories: true)
        try Data(repeating: 0x41, count: 5_000).write(to: URL(fileURLWithPath: path))
        await #expect(throws: TokenStoreFailure.self) { try await store().save([1], for: alice, upstream: "up") }
    }

    private func write(_ text: String) throws {
        try FileManager.default.removeItem(atPath: ringPath)
        #expect(FileManager.default.createFile(atPath: ringPath, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
    }

    /// Somebody at the file.
    private func execute(_ text: String) {
        var handle: OpaquePointer?
        #expect(sqlite3_open(path, &handle) == SQLITE_OK)
        #expect(sqlite3_exec(handle, text, nil, nil, nil) == SQLITE_OK)
        sqlite3_close(handle)
    }
}
