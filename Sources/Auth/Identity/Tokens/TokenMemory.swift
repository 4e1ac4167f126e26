import Synchronization

/// The callers of tokens that were verified, by the tokens' SHA-256.
final class TokenMemory: Sendable {
    private struct Entry {
        var caller: Caller
        var term: TokenIssuer.Term
        /// Seconds since 1970.
        var expires: Int
    }

    private let countMax: Int
    private let entries = Mutex<[SHA256Digest: Entry]>([:])

    init(countMax: Int = 10_000) { self.countMax = countMax }

    var count: Int { entries.withLock { $0.count } }

    /// The caller, and for which term of its issuer that was found out.
    func caller(of digest: SHA256Digest) -> (caller: Caller, term: TokenIssuer.Term)? {
        entries.withLock { $0[digest].map { ($0.caller, $0.term) } }
    }

    func remember(_ caller: Caller, of digest: SHA256Digest, term: TokenIssuer.Term, until expires: Int, now: Int) {
        entries.withLock { entries in
            if entries.count >= countMax { entries = entries.filter { $0.value.expires > now } }
            // Nothing has expired: any quarter goes, for a token that is forgotten is only verified once more.
            if entries.count >= countMax { for key in Array(entries.keys.prefix(max(1, countMax / 4))) { entries[key] = nil } }
            entries[digest] = Entry(caller: caller, term: term, expires: expires)
        }
    }

    func forget(_ digest: SHA256Digest) { entries.withLock { _ = $0.removeValue(forKey: digest) } }
}
