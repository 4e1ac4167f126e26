/// What the gateway keeps can't be read or written: which file, and why.
package struct StateError: Error, Hashable, CustomStringConvertible {
    package let path: String
    package let reason: String
    /// The file can be read, and what it holds is wrong.
    let isOfContent: Bool

    init(_ path: String, _ reason: String, isOfContent: Bool = false) {
        self.path = path
        self.reason = reason
        self.isOfContent = isOfContent
    }

    package var description: String { "\(path): \(reason)" }
}
