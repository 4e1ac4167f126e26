/// A page for a person: plain HTML, without a script, its text escaped.
struct SignInPage {
    private var content = ""
    private let title: String

    init(_ title: String) {
        self.title = title
        content = "<h1>\(Self.escaped(title))</h1>\n"
    }

    mutating func say(_ text: String) { content += "<p>\(Self.escaped(text))</p>\n" }

    /// Rows of what and which.
    mutating func list(_ rows: [(String, String)]) {
        content += "<dl>\n"
        for (name, value) in rows { content += "<dt>\(Self.escaped(name))</dt><dd>\(Self.escaped(value))</dd>\n" }
        content += "</dl>\n"
    }

    /// A button that posts to this page's own address.
    mutating func button(_ label: String, token: String) {
        content += "<form method=\"post\"><input type=\"hidden\" name=\"token\" value=\"\(Self.escaped(token))\">"
        content += "<button type=\"submit\">\(Self.escaped(label))</button></form>\n"
    }

    /// `formTarget` is where the page's form may lead besides our own address.
    func reply(_ status: Int, formTarget: String = "", fields: [(String, String)] = []) -> SignInReply {
        let html = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title><style>\(Self.style)</style></head>
            <body><main>
            \(content)</main></body></html>

            """
        return SignInReply(status: status, isHTML: true, fields: Self.protection(formTarget) + fields, body: Array(html.utf8))
    }

    /// No script, no frame around it (clickjacking), no address in `Referer` (the link is a secret), nothing kept.
    static func protection(_ formTarget: String = "") -> [(String, String)] {
        let form = formTarget.isEmpty ? "'none'" : "'self' \(formTarget)"
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action \(form)"
        return [
            ("Content-Security-Policy", policy), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Opener-Policy", "same-origin"),
        ]
    }

    /// Names come from tokens, metadata and configuration: none of them may become markup, or turn the line around.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(2_000) {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append([.control, .format].contains(scalar.properties.generalCategory) ? "\u{FFFD}" : scalar)
            }
        }
        return result
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;margin:0;padding:2rem;background:#f5f5f3;color:#1c1c1a}\
        main{max-width:34rem;margin:0 auto;background:#fff;padding:1.5rem 2rem;border:1px solid #ddd;border-radius:8px}\
        h1{font-size:1.35rem}dt{color:#666;font-size:.85rem}dd{margin:0 0 .6rem;overflow-wrap:anywhere}\
        button{font:inherit;padding:.5rem 1.2rem;border:0;border-radius:6px;background:#1757c2;color:#fff;cursor:pointer}
        """
}
