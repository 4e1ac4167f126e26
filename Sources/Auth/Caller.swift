/// Who makes a call. Only this target makes one, so that having one proves that the question was asked.
package struct Caller: Hashable, Sendable, CustomStringConvertible {
    private enum Identity: Hashable {
        case anonymous
        case localUser(String)
    }

    private let identity: Identity

    /// Anyone who reaches a loopback listener; there is no other identity on HTTP yet.
    package static let anonymous = Caller(identity: .anonymous)

    /// The person at this machine: stdio, `tools`, `call`.
    package static func localUser(_ login: String) -> Caller { Caller(identity: .localUser(login)) }

    /// `anonymous` or `user:LOGIN`.
    package var description: String {
        switch identity {
        case .anonymous: "anonymous"
        case .localUser(let login): "user:\(login)"
        }
    }
}
