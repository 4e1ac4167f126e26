import JSON

/// One page of the tool list, ready to be sent.
struct ToolPage {
    let legacy: [UInt8]
    let modern: [UInt8]

    /// The whole list; a cursor is the number of a page.
    static func pages(of definitions: [JSONValue], size: Int, identity: String) -> [ToolPage] {
        let count = max(1, (definitions.count + size - 1) / size)
        return (0..<count).map { index in
            var members = Array("\"tools\":".utf8)
            members.append(json: .array(Array(definitions.dropFirst(index * size).prefix(size))))
            if index + 1 < count { members += Array(",\"nextCursor\":\"\(index + 1)\"".utf8) }
            let head = Array(#"{"resultType":"complete","ttlMs":300000,"cacheScope":"public","#.utf8)
            let tail = Array(#","_meta":{"io.modelcontextprotocol/serverInfo":\#(identity)}}"#.utf8)
            return ToolPage(legacy: Array("{".utf8) + members + Array("}".utf8), modern: head + members + tail)
        }
    }
}
