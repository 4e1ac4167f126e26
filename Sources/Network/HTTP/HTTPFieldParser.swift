/// Reads the field lines of a complete head, and makes their names lower case in place (RFC 9112 §5).
enum HTTPFieldParser {
    /// Parses from the first field line to the empty line at the end.
    ///
    /// `head` ends with CR LF CR LF and holds no LF without a CR before it: `HTTPHeadScanner` saw to both.
    static func parse(_ head: UnsafeMutableBufferPointer<UInt8>, from start: Int) throws(HTTPFault) -> [HTTPHeaders.Field] {
        var fields: [HTTPHeaders.Field] = []
        fields.reserveCapacity(16)
        let end = head.count - 2
        var position = start
        while position < end {
            let nameStart = position
            while HTTPByteSet.token.contains(head[position]) {
                head[position] = ASCII.lowercased(head[position])
                position += 1
            }
            let nameEnd = position
            // A space before the colon or a folded line is read differently by others: the classic way to smuggle a request.
            guard nameEnd > nameStart else { throw .malformed("A field line begins with something that is not a name.") }
            guard head[position] == ASCII.colon else { throw .malformed("A field name is not followed by a colon.") }
            position += 1
            while head[position] == ASCII.space || head[position] == ASCII.tab { position += 1 }
            let valueStart = position
            while ASCII.isFieldValue(head[position]) { position += 1 }
            guard head[position] == ASCII.cr, head[position + 1] == ASCII.lf else {
                throw .malformed("A field value holds a control character.")
            }
            var valueEnd = position
            while valueEnd > valueStart, head[valueEnd - 1] == ASCII.space || head[valueEnd - 1] == ASCII.tab { valueEnd -= 1 }
            position += 2
            guard fields.count < HTTPHeaders.countMax else { throw HTTPFault(431, "There are too many fields.") }
            fields.append(
                HTTPHeaders.Field(
                    nameStart: UInt16(truncatingIfNeeded: nameStart), nameEnd: UInt16(truncatingIfNeeded: nameEnd),
                    valueStart: UInt16(truncatingIfNeeded: valueStart), valueEnd: UInt16(truncatingIfNeeded: valueEnd)))
        }
        return fields
    }
}
