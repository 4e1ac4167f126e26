/// The candidate that a person most likely meant by `word`, or nil when none is near enough.
///
/// Near enough is an edit distance (insert, delete, replace, swap of neighbours) of at most a third of the word's length, and at least 1.
package func suggestion<Candidates: Sequence<String>>(for word: String, among candidates: Candidates) -> String? {
    let limit = max(1, word.count / 3)
    let typed = Array(word.lowercased().utf8)
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
        let distance = editDistance(typed, Array(candidate.lowercased().utf8))
        guard distance <= limit, distance < best?.distance ?? .max else { continue }
        best = (distance, candidate)
    }
    return best?.candidate
}

private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in 0...a.count { rows[i][0] = i }
    for j in 0...b.count { rows[0][j] = j }
    for i in a.indices {
        for j in b.indices {
            var least = min(rows[i][j + 1] + 1, rows[i + 1][j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
            rows[i + 1][j + 1] = least
        }
    }
    return rows[a.count][b.count]
}
