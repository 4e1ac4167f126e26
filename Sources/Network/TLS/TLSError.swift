import COpenSSL

/// What OpenSSL has to say.
enum TLSError {
    /// The reason of the oldest error in this thread's queue, which is emptied.
    static func takeText() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return "unknown TLS error" }
        var text = [CChar](repeating: 0, count: 256)
        if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
        ERR_error_string_n(code, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
