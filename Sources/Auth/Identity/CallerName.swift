/// What may name a user, a client or a group.
enum CallerName {
    static let bytesMax = 256

    /// 1 to 256 bytes, none of them a control character: names stand in log lines and are compared with what people write.
    static func isFit(_ name: String) -> Bool {
        (1...bytesMax).contains(name.utf8.count) && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
