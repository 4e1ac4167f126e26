import Diagnostics
import VirtualServers

/// Reads `upstream.name` and `upstream.glob`.
struct PatternReader {
    let upstreams: KnownUpstreams

    func read(_ node: YAMLNode, _ name: String, _ findings: inout Findings) -> UpstreamPattern? {
        guard let text = node.text(name, &findings) else { return nil }
        if text.hasPrefix("@") {
            findings.add("\(quoted(text)) is not supported in `\(name)`", at: node.position, fix: "write \(upstreams.example).NAME")
            return nil
        }
        guard let dot = text.firstIndex(of: "."), dot != text.startIndex, text.index(after: dot) != text.endIndex else {
            complainOfMissingDot(in: text, at: node.position, &findings)
            return nil
        }
        let upstream = String(text[..<dot])
        let glob = String(text[text.index(after: dot)...])
        if upstreams.places?[upstream] == nil, let colon = upstreamBeforeColon(text) {
            complainOfColon(colon, in: text, at: node.position, &findings)
            return nil
        }
        guard !upstream.contains("*"), !upstream.contains("?") else {
            findings.add("\(quoted(text)) does not name one upstream", at: node.position, fix: "write an entry for each upstream")
            return nil
        }
        guard upstreams.check(upstream, at: node.position, &findings) else { return nil }
        guard !glob.contains("(") else {
            findings.add("\(quoted(text)) holds a condition on arguments", at: node.position, fix: "write the rule under `arguments:` of `- tool: …`")
            return nil
        }
        let isPlain = glob.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.properties.generalCategory != .control }
        guard isPlain, glob.utf8.count <= 256 else {
            findings.add("\(quoted(text)) holds blanks or is longer than 256 bytes", at: node.position, fix: "write upstream.name")
            return nil
        }
        return UpstreamPattern(upstream: upstream, glob: glob, position: node.position)
    }

    /// A list of patterns, as under `prompts:`.
    func readList(_ node: YAMLNode, _ name: String, _ findings: inout Findings) -> [UpstreamPattern] {
        var patterns: [UpstreamPattern] = []
        for element in node.elements(name, &findings) ?? [] {
            if case .mapping(let entries) = element.content {
                let names = entries.compactMap { $0.value.scalar?.text }
                let pattern = names.first { $0.contains(".") } ?? "\(upstreams.example).NAME"
                findings.add("`\(name)` holds patterns only", at: element.position, fix: "write \(quoted(pattern)); \(name) can't be renamed")
            } else if let pattern = read(element, name, &findings) {
                patterns.append(pattern)
            }
        }
        return patterns
    }

    private func complainOfMissingDot(in text: String, at position: SourcePosition, _ findings: inout Findings) {
        if let colon = upstreamBeforeColon(text) { return complainOfColon(colon, in: text, at: position, &findings) }
        let rest = text.trimmingDots()
        let isUpstream = upstreams.places?[rest] != nil
        findings.add(
            isUpstream ? "\(quoted(text)) names an upstream but nothing of it" : "\(quoted(text)) does not say of which upstream",
            at: position,
            fix: isUpstream ? "write \"\(rest).*\" for all of it" : "write \(upstreams.example).\(rest.isEmpty ? "NAME" : rest)")
    }

    /// Where a colon follows the name of an upstream, as in `new:notes://*`.
    private func upstreamBeforeColon(_ text: String) -> String.Index? {
        guard let colon = text.firstIndex(of: ":"), upstreams.places?[String(text[..<colon])] != nil else { return nil }
        return text.index(after: colon) == text.endIndex ? nil : colon
    }

    private func complainOfColon(_ colon: String.Index, in text: String, at position: SourcePosition, _ findings: inout Findings) {
        let (upstream, rest) = (text[..<colon], text[text.index(after: colon)...])
        findings.add("\(quoted(text)) has a colon behind the upstream", at: position, fix: "write \(quoted("\(upstream).\(rest)"))")
    }
}

extension UpstreamPattern {
    /// Whether it takes everything that `other` could take, so that `other` behind it would never apply. May miss some.
    func covers(_ other: UpstreamPattern) -> Bool {
        upstream == other.upstream && Self.matches(Array(glob.utf8)[...], Array(other.glob.utf8)[...])
    }

    /// The other's `*` counts as a character that only `*` matches.
    private static func matches(_ glob: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var (glob, text) = (glob, text)
        var retry: (glob: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
        while let character = text.first {
            if glob.first == UInt8(ascii: "*") {
                glob.removeFirst()
                retry = (glob, text)
            } else if let wanted = glob.first, wanted == character || wanted == UInt8(ascii: "?") && character != UInt8(ascii: "*") {
                // A `*` of the other's that meets itself was taken above.
                glob.removeFirst()
                text.removeFirst()
            } else if let last = retry {
                (glob, text) = (last.glob, last.text.dropFirst())
                retry = (glob, text)
            } else {
                return false
            }
        }
        return glob.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension String {
    fileprivate func trimmingDots() -> String {
        var rest = self[...]
        while rest.first == "." { rest.removeFirst() }
        while rest.last == "." { rest.removeLast() }
        return String(rest)
    }
}
