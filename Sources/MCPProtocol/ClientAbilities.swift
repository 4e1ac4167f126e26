import JSON

/// What an upstream may ask of a client in mid-call, taken from the client's capabilities.
///
/// Clients with equal abilities may share an upstream that is told once, when it is opened, what it may ask.
package struct ClientAbilities: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Elicitation by a form (since 2025-06-18).
    package static let forms = ClientAbilities(rawValue: 1)
    /// Elicitation by a link (since 2025-11-25).
    package static let links = ClientAbilities(rawValue: 2)
    /// Sampling.
    package static let sampling = ClientAbilities(rawValue: 4)
    /// Sampling with tools (since 2025-11-25).
    package static let samplingTools = ClientAbilities(rawValue: 8)
    /// Sampling with the context of servers.
    package static let samplingContext = ClientAbilities(rawValue: 16)
    /// Roots.
    package static let roots = ClientAbilities(rawValue: 32)
    /// Word of changed roots (until 2025-11-25).
    package static let rootsChanges = ClientAbilities(rawValue: 64)

    /// From a client's capabilities, a JSON object that has been validated; what its revision does not have counts for nothing.
    ///
    /// An `elicitation` without modes is of forms (MCP 2025-11-25 client/elicitation, "Capabilities").
    package init(_ capabilities: [UInt8], of revision: Revision) {
        self.init()
        guard capabilities.count > 2 else { return }
        var scanner = JSONScanner()
        guard (try? insert(from: &scanner, in: capabilities.span)) != nil else {
            self = []
            return
        }
        if revision < .v2025_06_18 { remove(.forms) }
        if revision < .v2025_11_25 { subtract([.links, .samplingTools]) }
        if revision.era == .modern { remove(.rootsChanges) }
    }

    private mutating func insert(from scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            if key.isEqual("elicitation", in: bytes) {
                try insertElicitation(from: &scanner, in: bytes)
            } else if key.isEqual("sampling", in: bytes) {
                try insertSampling(from: &scanner, in: bytes)
            } else if key.isEqual("roots", in: bytes) {
                try insertRoots(from: &scanner, in: bytes)
            } else {
                try skip(&scanner, in: bytes)
            }
        }
    }

    private mutating func insertElicitation(from scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        guard try scanner.nextKind(in: bytes) == .object else { return try skip(&scanner, in: bytes) }
        var hasModes = false
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            let isObject = try scanner.skipValue(in: bytes).kind == .object
            guard isObject else { continue }
            if key.isEqual("form", in: bytes) {
                insert(.forms)
                hasModes = true
            } else if key.isEqual("url", in: bytes) {
                insert(.links)
                hasModes = true
            }
        }
        if !hasModes { insert(.forms) }
    }

    private mutating func insertSampling(from scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        guard try scanner.nextKind(in: bytes) == .object else { return try skip(&scanner, in: bytes) }
        insert(.sampling)
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            guard try scanner.skipValue(in: bytes).kind == .object else { continue }
            if key.isEqual("tools", in: bytes) { insert(.samplingTools) }
            if key.isEqual("context", in: bytes) { insert(.samplingContext) }
        }
    }

    private mutating func insertRoots(from scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        guard try scanner.nextKind(in: bytes) == .object else { return try skip(&scanner, in: bytes) }
        insert(.roots)
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            let value = try scanner.skipValue(in: bytes)
            // Of the two, only `true` has four bytes.
            if key.isEqual("listChanged", in: bytes), value.kind == .bool, value.range.count == 4 { insert(.rootsChanges) }
        }
    }

    private func skip(_ scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) { try scanner.skipValue(in: bytes) }

    /// The same as capabilities for `initialize` (MCP 2025-11-25 basic/lifecycle, "Capability Negotiation").
    package var capabilities: JSONValue {
        var object: JSONValue = [:]
        if !isDisjoint(with: [.forms, .links]) {
            object["elicitation"] = [:]
            if contains(.forms) { object["elicitation"]?["form"] = [:] }
            if contains(.links) { object["elicitation"]?["url"] = [:] }
        }
        if contains(.sampling) {
            object["sampling"] = [:]
            if contains(.samplingTools) { object["sampling"]?["tools"] = [:] }
            if contains(.samplingContext) { object["sampling"]?["context"] = [:] }
        }
        if contains(.roots) { object["roots"] = contains(.rootsChanges) ? ["listChanged": true] : [:] }
        return object
    }
}
