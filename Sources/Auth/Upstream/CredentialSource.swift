#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
import Synchronization

/// An upstream's credential, rendered as header lines and kept until a file that it comes from changes.
package final class CredentialSource: Sendable {
    private struct Rendered {
        var lines: [UInt8]
        var stamps: [FileStamp]
        var checked: ContinuousClock.Instant
    }

    /// Files are looked at no more often than this.
    private static let checkInterval = Duration.seconds(1)

    private let definition: CredentialDefinition
    private let environment: [String: String]
    private let files: [String]
    private let state = Mutex<Rendered?>(nil)

    package init(_ definition: CredentialDefinition, environment: [String: String]) {
        self.definition = definition
        self.environment = environment
        files = definition.references.flatMap(\.files)
    }

    /// `Name: value` lines, each ended by CRLF. Hold them no longer than it takes to send them.
    ///
    /// While a file that changed can't be read, the value that was read before stays in use.
    package func lines() throws(UnresolvedSecret) -> [UInt8] { try lines(at: .now) }

    func lines(at now: ContinuousClock.Instant) throws(UnresolvedSecret) -> [UInt8] {
        let result = state.withLock { state -> Result<[UInt8], UnresolvedSecret> in
            if var known = state {
                guard !files.isEmpty, now - known.checked >= Self.checkInterval else { return .success(known.lines) }
                known.checked = now
                state = known
                guard files.map(FileStamp.init) != known.stamps, let fresh = try? render(at: now) else { return .success(known.lines) }
                state = fresh
                return .success(fresh.lines)
            }
            do throws(UnresolvedSecret) {
                let fresh = try render(at: now)
                state = fresh
                return .success(fresh.lines)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func render(at now: ContinuousClock.Instant) throws(UnresolvedSecret) -> Rendered {
        let stamps = files.map(FileStamp.init)
        var lines: [UInt8] = []
        for field in try definition.credential(environment: environment).fields {
            lines.append(contentsOf: "\(field.name): \(field.value.reveal())\r\n".utf8)
        }
        return Rendered(lines: lines, stamps: stamps, checked: now)
    }
}

/// What tells that a file was replaced or written.
private struct FileStamp: Equatable {
    private let modified: Date?
    private let size: Int?

    init(_ path: String) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        modified = attributes?[.modificationDate] as? Date
        size = attributes?[.size] as? Int
    }
}
