#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Our own environment, for children.
enum Environment {
    static var all: [(String, String)] {
        var result: [(String, String)] = []
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { result.append((String(parts[0]), String(parts[1]))) }
            entry += 1
        }
        return result
    }
}
