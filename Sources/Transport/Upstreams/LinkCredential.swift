import Auth
import Synchronization

/// An upstream's credential as the links of one key use it: for whoever used them last, since that caller's token is good for longest.
package final class LinkCredential: Sendable {
    package let source: CredentialSource
    package let key: CredentialKey
    private let caller: Mutex<Caller>

    init(_ source: CredentialSource, key: CredentialKey, caller: Caller) {
        self.source = source
        self.key = key
        self.caller = Mutex(caller)
    }

    /// From now on it is for this caller, who has the same key.
    func use(_ caller: Caller) {
        guard key.identity != nil else { return }
        self.caller.withLock { $0 = caller }
    }

    /// Header lines to send.
    func lines() async throws(CredentialFailure) -> [UInt8] {
        let caller = caller.withLock { $0 }
        if let known = source.known(for: caller) { return known }
        return try await source.lines(for: caller)
    }

    /// Others in their place, where the upstream has refused these; nil where there are none.
    func refused(_ lines: [UInt8]) async throws(CredentialFailure) -> [UInt8]? {
        try await source.refused(lines, for: caller.withLock { $0 })
    }

    /// The upstream has refused also these, which were there in the place of refused ones; throws where there are none from now on.
    func refusedAgain(_ lines: [UInt8]) async throws(CredentialFailure) {
        try await source.refusedAgain(lines, for: caller.withLock { $0 })
    }

    var redaction: Redaction { source.redaction(for: key) }
}
