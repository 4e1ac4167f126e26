import CSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The table of sealed tokens. Blocks; used from one queue only.
final class TokenDatabase: @unchecked Sendable {
    // Sendable although its handle is not guarded: the store that owns it works on one serial queue.
    struct Row: Sendable {
        /// The id of the key.
        var key: [UInt8]
        var sealed: [UInt8]
    }

    private static let waitMilliseconds: Int32 = 3_000
    private let path: String
    private var handle: OpaquePointer?

    init(path: String) { self.path = path }

    deinit { sqlite3_close_v2(handle) }

    func row(owner: [UInt8], upstream: String) throws(TokenStoreFailure) -> Row? {
        try run("SELECT key, sealed FROM tokens WHERE owner = ?1 AND upstream = ?2", [.bytes(owner), .text(upstream)]).first.map {
            Row(key: $0[0], sealed: $0[1])
        }
    }

    /// Puts it in the place of what was there; throws where the table is full.
    func put(_ row: Row, owner: [UInt8], upstream: String, rowsMax: Int) throws(TokenStoreFailure) {
        let text = """
            INSERT INTO tokens (owner, upstream, key, sealed) SELECT ?1, ?2, ?3, ?4
            WHERE EXISTS (SELECT 1 FROM tokens WHERE owner = ?1 AND upstream = ?2) OR (SELECT count(*) FROM tokens) < ?5
            ON CONFLICT (owner, upstream) DO UPDATE SET key = excluded.key, sealed = excluded.sealed
            """
        _ = try run(text, [.bytes(owner), .text(upstream), .bytes(row.key), .bytes(row.sealed), .number(rowsMax)])
        guard sqlite3_changes(handle) > 0 else {
            throw TokenStoreFailure("there are \(rowsMax) tokens already; remove \(path) to forget all of them")
        }
    }

    func remove(owner: [UInt8], upstream: String) throws(TokenStoreFailure) {
        _ = try run("DELETE FROM tokens WHERE owner = ?1 AND upstream = ?2", [.bytes(owner), .text(upstream)])
    }

    private enum Value {
        case bytes([UInt8])
        case text(String)
        case number(Int)
    }

    private func run(_ text: String, _ values: [Value] = []) throws(TokenStoreFailure) -> [[[UInt8]]] {
        if handle == nil { try open() }
        return try execute(text, values)
    }

    private func execute(_ text: String, _ values: [Value] = []) throws(TokenStoreFailure) -> [[[UInt8]]] {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, text, -1, &statement, nil) == SQLITE_OK, let statement else { throw failure() }
        defer { sqlite3_finalize(statement) }
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            let code =
                switch value {
                case .bytes(let bytes): shim_sqlite3_bind_blob(statement, place, bytes, Int32(bytes.count))
                case .text(let text): shim_sqlite3_bind_text(statement, place, text)
                case .number(let number): sqlite3_bind_int64(statement, place, Int64(number))
                }
            guard code == SQLITE_OK else { throw failure() }
        }
        var rows: [[[UInt8]]] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: rows.append((0..<sqlite3_column_count(statement)).map { Self.bytes(of: statement, $0) })
            case SQLITE_DONE: return rows
            default: throw failure()
            }
        }
    }

    private static func bytes(of statement: OpaquePointer, _ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    private func open() throws(TokenStoreFailure) {
        // Made by us first, since SQLite would make it readable for all; what it adds takes after it.
        makePrivateFolder(of: path)
        let file = Self.touch(path)
        guard file >= 0 else { throw TokenStoreFailure("\(path) can't be opened or made") }
        close(file)
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK else {
            defer { shut() }
            throw failure()
        }
        sqlite3_busy_timeout(handle, Self.waitMilliseconds)
        do throws(TokenStoreFailure) {
            // A refresh token that was used up is worthless: its successor must be on the disk before it is used.
            for pragma in ["journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"] { _ = try execute("PRAGMA \(pragma)") }
            _ = try execute(
                "CREATE TABLE IF NOT EXISTS tokens (owner BLOB, upstream TEXT, key BLOB, sealed BLOB, PRIMARY KEY (owner, upstream)) WITHOUT ROWID")
        } catch {
            shut()
            throw error
        }
    }

    private func shut() {
        sqlite3_close_v2(handle)
        handle = nil
    }

    private static func touch(_ path: String) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #else
            Darwin.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #endif
    }

    private func failure() -> TokenStoreFailure {
        TokenStoreFailure("\(path): \(handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? "out of memory")")
    }
}
