/// A client's wish to hear of a resource's changes. It lasts for as long as somebody holds it.
package final class ResourceWatch: Sendable {
    package let uri: String
    /// Who tells of the changes: the upstream as the client's credential reaches it.
    let source: ObjectIdentifier
    private let onEnd: @Sendable () -> Void

    /// `onEnd` is called once, when nobody holds the watch any more.
    package init(_ uri: String, at source: AnyObject, onEnd: @escaping @Sendable () -> Void = {}) {
        self.uri = uri
        self.source = ObjectIdentifier(source)
        self.onEnd = onEnd
    }

    deinit { onEnd() }

    /// Whether a change of that URI concerns it: of the resource itself, or of a part of it
    /// (MCP 2026-07-28 schema, `ResourceUpdatedNotificationParams`).
    func covers(_ changed: String) -> Bool {
        let (whole, part) = (uri.utf8, changed.utf8)
        guard part.starts(with: whole) else { return false }
        guard part.count > whole.count else { return true }
        let boundaries = "/?#".utf8
        return whole.last.map(boundaries.contains) == true || boundaries.contains(part[part.index(part.startIndex, offsetBy: whole.count)])
    }
}
