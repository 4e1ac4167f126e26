/// The variables of the environment that stand for the secrets of a client's file.
struct ImportedVariables {
    /// What each stands for: nil for what the file itself took from the environment or asked the person for.
    private var values: [String: String?] = [:]
    private var order: [String] = []

    /// `${env:NAME}` for a secret: `name`, unless that stands for another secret; then the upstream's name is put before it.
    mutating func reference(_ name: String, value: String?, upstream: String) -> String {
        var name = variableName(from: name)
        if let known = values[name], known != value { name = variableName(from: "\(upstream)_\(name)") }
        var number = 2
        let base = name
        while let known = values[name], known != value {
            name = "\(base)_\(number)"
            number += 1
        }
        if values.updateValue(value, forKey: name) == nil && name != "HOME" { order.append(name) }
        return "${env:\(name)}"
    }

    /// Lines that say what to set before the start.
    var comment: String {
        order.isEmpty ? "" : "# Secrets are not copied. Set these variables before you start it:\n#   \(order.joined(separator: " "))\n"
    }
}
