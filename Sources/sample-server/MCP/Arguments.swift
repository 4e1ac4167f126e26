import JSON

/// A call's arguments, checked as they are asked for; every complaint says what to send instead.
struct Arguments {
    let values: JSONValue

    /// A text of 1 to `max` bytes.
    func text(_ name: String, max: Int = 1000) throws(ToolFailure) -> String {
        guard let value = values[name] else { throw ToolFailure("“\(name)” is missing: send a text.") }
        guard let text = value.string, !text.isEmpty, text.utf8.count <= max else {
            throw ToolFailure("“\(name)” must be a text of 1 to \(max) bytes.")
        }
        return text
    }

    func text(_ name: String, default standard: String, max: Int = 1000) throws(ToolFailure) -> String {
        values[name] == nil ? standard : try text(name, max: max)
    }

    /// One of the choices; the first is the default unless the argument is required.
    func choice(_ name: String, of choices: [String], isRequired: Bool = false) throws(ToolFailure) -> String {
        guard let value = values[name] else {
            if let first = choices.first, !isRequired { return first }
            throw ToolFailure("“\(name)” is missing: send one of \(choices.joined(separator: ", ")).")
        }
        guard let text = value.string, choices.contains(text) else {
            throw ToolFailure("“\(name)” must be one of \(choices.joined(separator: ", ")).")
        }
        return text
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int? = nil) throws(ToolFailure) -> Int {
        guard let value = values[name] else {
            if let standard { return standard }
            throw ToolFailure("“\(name)” is missing: send a whole number.")
        }
        guard let number = value.integer, range.contains(number) else {
            throw ToolFailure("“\(name)” must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    func number(_ name: String) throws(ToolFailure) -> Double {
        guard let number = values[name]?.double, number.isFinite else { throw ToolFailure("“\(name)” must be a number.") }
        return number
    }

    func flag(_ name: String, default standard: Bool) throws(ToolFailure) -> Bool {
        guard let value = values[name] else { return standard }
        guard let flag = value.bool else { throw ToolFailure("“\(name)” must be true or false.") }
        return flag
    }
}
