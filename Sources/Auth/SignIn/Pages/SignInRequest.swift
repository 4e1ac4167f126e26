/// A browser's request below `/oauth/`.
package struct SignInRequest: Sendable {
    package var method: String
    /// What follows `/oauth/`, as it was sent.
    package var path: String
    package var query: String?
    /// Every `Cookie` field.
    package var cookies: [String]
    /// `Origin` and `Sec-Fetch-Site`, where the browser sends them.
    package var origin: String?
    package var fetchSite: String?
    package var body: [UInt8]

    package init(
        method: String, path: String, query: String? = nil, cookies: [String] = [], origin: String? = nil, fetchSite: String? = nil,
        body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.cookies = cookies
        self.origin = origin
        self.fetchSite = fetchSite
        self.body = body
    }

    /// The value of a cookie; nil where there is none or more than one (somebody else may have set the other).
    func cookie(_ name: String) -> String? {
        let values = cookies.flatMap { $0.split(separator: ";") }.compactMap { pair -> Substring? in
            let pair = pair.drop { $0 == " " }
            return pair.hasPrefix(name + "=") ? pair.dropFirst(name.utf8.count + 1) : nil
        }
        return values.count == 1 ? values.first.map(String.init) : nil
    }
}

/// What a browser gets for it.
package struct SignInReply: Sendable {
    package let status: Int
    package let isHTML: Bool
    package let fields: [(String, String)]
    package let body: [UInt8]
}

/// The parameters of a query or a form, each once.
struct FormParameters {
    private static let countMax = 32
    private var values: [String: String] = [:]

    /// Nil where one stands twice, or what is escaped is no text: two readers could take different ones.
    init?(_ text: String) {
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            guard let key = Self.decode(name), let value = Self.decode(pair[name.endIndex...].dropFirst()), values.count < Self.countMax,
                values.updateValue(value, forKey: key) == nil
            else { return nil }
        }
    }

    subscript(name: String) -> String? { values[name] }

    private static func decode(_ bytes: Substring.UTF8View) -> String? {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): result.append(0x20)
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                guard digits.count == 2, digits.allSatisfy({ $0 != 0x2B && $0 != 0x2D }), let value = UInt8(String(Substring(digits)), radix: 16)
                else { return nil }
                result.append(value)
                rest = rest.dropFirst(2)
            default: result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }
}
