/// A request method; unknown ones pass through.
package struct HTTPMethod: Sendable, Hashable, CustomStringConvertible {
    /// The method as it was sent; methods are case-sensitive.
    package let name: String

    /// Wraps a method name, which the caller knows to be a token.
    package init(_ name: String) { self.name = name }

    /// GET.
    package static let get = HTTPMethod("GET")
    /// HEAD.
    package static let head = HTTPMethod("HEAD")
    /// POST.
    package static let post = HTTPMethod("POST")
    /// PUT.
    package static let put = HTTPMethod("PUT")
    /// DELETE.
    package static let delete = HTTPMethod("DELETE")
    /// OPTIONS.
    package static let options = HTTPMethod("OPTIONS")
    /// CONNECT.
    package static let connect = HTTPMethod("CONNECT")

    /// The method as it was sent.
    package var description: String { name }

    /// Whether sending the request twice has the effect of sending it once (RFC 9110 §9.2.2).
    package var isIdempotent: Bool {
        self == .get || self == .head || self == .put || self == .delete || self == .options
    }
}
