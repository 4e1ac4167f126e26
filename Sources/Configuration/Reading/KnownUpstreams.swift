import Diagnostics

/// The upstreams that gateway.yaml names, also those with mistakes, so that one mistake is not told twice.
struct KnownUpstreams {
    /// Nil where the list could not be read; then every name passes.
    let places: [String: SourcePosition]?

    /// Notes the problem and gives false where no upstream has that name.
    func check(_ name: String, at position: SourcePosition, _ findings: inout Findings) -> Bool {
        guard let places, places[name] == nil else { return true }
        let names = places.keys.sorted()
        var fix = "name it under `upstreams`"
        if let near = suggestion(for: name, among: names), let place = places[near] {
            fix = "did you mean \"\(near)\" (\(place.file):\(place.line))?"
        } else if !names.isEmpty {
            let more = names.count > 20 ? ", …" : ""
            fix = "the upstreams are \(names.prefix(20).joined(separator: ", "))\(more)"
        }
        findings.add("no upstream is called \(quoted(name))", at: position, fix: fix)
        return false
    }

    /// What to write before the dot where a person wrote none.
    var example: String { places?.count == 1 ? places?.keys.first ?? "UPSTREAM" : "UPSTREAM" }
}
