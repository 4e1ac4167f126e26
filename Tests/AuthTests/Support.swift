import Diagnostics
import Foundation

@testable import Auth

let somewhere = SourcePosition(file: "gateway.yaml", line: 1, column: 1)

func reference(_ parts: SecretReference.Part...) -> SecretReference { SecretReference(parts: parts, position: somewhere) }

/// A folder of its own for one test, gone with it.
final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/switchboard-auth-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ data: Data, to name: String) throws -> String {
        try data.write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String { try write(Data(text.utf8), to: name) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }
}
