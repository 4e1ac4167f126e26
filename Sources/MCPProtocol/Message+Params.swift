import JSON

extension Message {
    /// `params` as a tree, for methods that are rare. Throws −32602 where it can't be one.
    package func paramsTree() throws(ProtocolError) -> JSONValue {
        guard let range = params.range else { return [:] }
        do {
            return try JSONValue(parsing: range, of: bytes)
        } catch {
            throw ProtocolError(.invalidParams, "Invalid params: \(error)")
        }
    }
}
