import Diagnostics
import Foundation
import JSON

@testable import Audit
@testable import Auth

let somewhere = SourcePosition(file: "gateway.yaml", line: 1, column: 1)

/// A folder of its own for one test, gone with it.
final class Folder: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/switchboard-audit-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func text(_ name: String) -> String { (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? "" }

    /// The lines of a file, each of which must be JSON.
    func events(_ name: String = "audit.jsonl") throws -> [JSONValue] {
        try text(name).split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    }
}

let masking = ArgumentMasking(isSecretMember: { name, _ in name == "password" }, isSecretValue: { $0.hasPrefix("ghp_") })

func auditLog(_ path: String, whenUnwritable: AuditSettings.WhenUnwritable = .refuse, values: AuditSettings.Values = .digest) -> AuditLog {
    AuditLog(
        AuditSettings(.file(path), whenUnwritable: whenUnwritable, values: values, position: somewhere), key: [UInt8](repeating: 7, count: 32),
        masking: masking)
}

/// A call of `tool` with those arguments, as if it had come by HTTP.
func event(
    _ tool: String = "get", _ arguments: String? = "{}", by caller: Caller? = .localUser("alice"), meta: String = ""
) -> AuditEvent {
    var bytes = Array(#"{"params":{"arguments":"#.utf8)
    let start = bytes.count
    bytes += Array((arguments ?? "").utf8)
    let range = start..<bytes.count
    bytes += Array(#","_meta":{"#.utf8)
    let metaStart = bytes.count
    bytes += Array(meta.utf8)
    let message = AuditedMessage(
        bytes: bytes, name: tool, arguments: arguments == nil ? nil : range, meta: meta.isEmpty ? [] : [metaStart..<bytes.count])
    return AuditEvent(
        at: EventTime(seconds: 1_700_000_000, milliseconds: 7), caller: caller, virtualServer: "team",
        origin: CallOrigin(transport: "http", revision: "2026-07-28"), message: message)
}

extension AuditLog {
    /// Waits until what was recorded is written, or can't be.
    func flushed() async { await withCheckedContinuation { continuation in flush { continuation.resume() } } }
}
