import VirtualServers

/// What a tool is called towards clients.
enum ExposedName {
    /// `[A-Za-z0-9_-]{1,64}`.
    static func fits(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "-") }
    }

    /// The name of an exact selection: `as:`, else by the server's rule.
    static func of(_ selection: ToolSelection, _ naming: VirtualServerDefinition.Naming) -> String {
        if let name = selection.exposedName { return name }
        switch naming {
        case .plain: return selection.pattern.glob
        case .prefixed: return selection.pattern.upstream + "_" + selection.pattern.glob
        }
    }
}
