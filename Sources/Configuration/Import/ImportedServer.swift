import Diagnostics
import JSON

/// One entry of a client's file on its way to an upstream.
struct ImportedServer {
    let name: String
    let original: String
    let definition: JSONValue
    /// Whether it became an upstream and not a comment.
    private(set) var isUsable = false
    /// Whether it is a comment only because a person has to write something in.
    private(set) var isUnfinished = false
    private var notes: [String] = []

    init(name: String, original: String, definition: JSONValue) {
        self.name = name
        self.original = original
        self.definition = definition
    }

    /// The lines below `upstreams:`; all of them comments where our own reader would refuse the entry.
    mutating func yaml(_ variables: inout ImportedVariables) -> String {
        if name != original {
            let reason = UpstreamReader.isName(original) ? "that name is taken" : "names here are 1 to 32 of a-z, 0-9, - and _"
            notes.append("\(quoted(original)) in the file; \(reason)")
        }
        let isDisabled = definition["disabled"]?.bool == true || definition["enabled"]?.bool == false
        // What is left out asks for no variables.
        var asked = variables
        let lines = lines(&asked)
        noteWhatIsLeftOut()
        let problem = isDisabled ? "it is disabled in the file" : problem(of: lines)
        if let problem {
            notes.append("left out: \(problem)")
        } else {
            isUsable = true
            variables = asked
        }
        let comments = notes.map { "  # \(oneLine($0))\n" }.joined()
        let mark = isUsable ? "  " : "  # "
        return comments + lines.map { "\(mark)\($0)\n" }.joined()
    }

    private mutating func lines(_ variables: inout ImportedVariables) -> [String] {
        var lines = ["\(name):"]
        let url = definition["url"] ?? definition["serverUrl"] ?? definition["httpUrl"]
        if let url = url?.string, definition["command"] == nil {
            lines += addressLines(url, &variables)
        } else if let command = definition["command"]?.string {
            let workspace = ImportedWorkspace(cwd: definition["cwd"]?.string)
            lines.append("  command: \(yamlQuoted(workspace.replaced(in: command) ?? command))")
            let arguments = (definition["args"]?.array ?? []).compactMap(\.word)
            var scrubbed = ImportedArguments(arguments, variables: definition["env"]?.members?.map(\.key) ?? [], workspace: workspace)
            notes += scrubbed.takeNotes()
            if !arguments.isEmpty { lines.append("  args: [\(scrubbed.words.map(yamlQuoted).joined(separator: ", "))]") }
            lines += environmentLines(&variables, workspace)
            if let folder = workspace.unknownDirectory { notes.append("`cwd` was \(quoted(folder)); children run in the folder of gateway.yaml") }
            if let folder = workspace.directory { lines.append("  cwd: \(yamlQuoted(folder))") }
        }
        return lines
    }

    private mutating func environmentLines(_ variables: inout ImportedVariables, _ workspace: ImportedWorkspace) -> [String] {
        var lines: [String] = []
        for member in definition["env"]?.members ?? [] {
            guard let value = member.value.word else { continue }
            let isSecret =
                !SecretLook.isHarmless(value)
                && (SecretLook.isSecretName(member.key) || SecretLook.isSecretValue(value) || SecretLook.isDense(value))
            let replaced = isSecret ? nil : workspace.replaced(in: value)
            if replaced != nil { notes.append("\(quoted(member.key)) named the workspace; it is the folder of gateway.yaml now") }
            let text = ImportedReferences(upstream: name, variable: member.key).convert(replaced ?? value, isSecret: isSecret, &variables)
            lines.append("    \(yamlQuoted(member.key)): \(yamlQuoted(text))")
        }
        return lines.isEmpty ? [] : ["  env:"] + lines
    }

    private mutating func addressLines(_ url: String, _ variables: inout ImportedVariables) -> [String] {
        let address = ImportedAddress(url)
        if address.hasPlaceholder { notes.append("the url held what looks like a secret, or a variable") }
        var lines = ["  url: \(yamlQuoted(address.text))"]
        if definition["type"]?.string?.lowercased() == "sse" || definition["transport"]?.string?.lowercased() == "sse" {
            lines.append("  transport: sse")
        }
        var headers = definition["headers"]?.members ?? []
        if address.hasUserInformation {
            let user = variables.reference("\(name)_USERNAME", value: nil, upstream: name)
            let password = variables.reference("\(name)_PASSWORD", value: nil, upstream: name)
            lines.append("  credential: { basic: { username: \(yamlQuoted(user)), password: \(yamlQuoted(password)) } }")
            if !headers.isEmpty {
                notes.append("the user name in the url and headers exclude each other here; left out: \(headers.map(\.key).joined(separator: ", "))")
            }
            return lines
        }
        let own = headers.filter { HeaderName.isReserved($0.key) }
        if !own.isEmpty { notes.append("the gateway sets these headers itself: \(own.map(\.key).joined(separator: ", "))") }
        headers.removeAll { HeaderName.isReserved($0.key) }
        return lines + credentialLines(headers, &variables)
    }

    private func credentialLines(_ headers: [JSONValue.Member], _ variables: inout ImportedVariables) -> [String] {
        var lines: [String] = []
        for header in headers {
            guard let value = header.value.word else { continue }
            let isAuthorization = header.key.lowercased() == "authorization"
            let isBearer = isAuthorization && value.lowercased().hasPrefix("bearer ")
            let kept = isBearer ? String(value.dropFirst(7)).trimmingSpaces() : value
            let isSecret =
                !SecretLook.isHarmless(kept)
                && (isAuthorization || SecretLook.isSecretName(header.key) || SecretLook.isSecretValue(kept) || SecretLook.isRandom(kept))
            let variable = isBearer ? "\(name)_TOKEN" : "\(name)_\(header.key)"
            let text = ImportedReferences(upstream: name, variable: variable).convert(kept, isSecret: isSecret, &variables)
            if isBearer && headers.count == 1 { return ["  credential: { bearer: \(yamlQuoted(text)) }"] }
            lines.append("      \(yamlQuoted(header.key)): \(yamlQuoted(isBearer ? "Bearer " + text : text))")
        }
        return lines.isEmpty ? [] : ["  credential:", "    headers:"] + lines
    }

    private mutating func noteWhatIsLeftOut() {
        let used: Set = ["command", "args", "env", "cwd", "url", "serverUrl", "httpUrl", "headers", "type", "transport", "disabled", "enabled"]
        let others = (definition.members ?? []).map(\.key).filter { !used.contains($0) }
        if !others.isEmpty { notes.append("not taken over: \(others.joined(separator: ", "))") }
    }

    /// What our own reader would say of the entry.
    private mutating func problem(of lines: [String]) -> String? {
        guard lines.count > 1 else { return "it has neither `command` nor `url`" }
        if lines.contains(where: { $0.contains(ImportedArguments.placeholder) }) {
            isUnfinished = true
            return "write something for \(ImportedArguments.placeholder), and remove the marks at the left"
        }
        let document = YAMLDocument(parsing: Array(lines.joined(separator: "\n").utf8), file: "")
        var findings = Findings()
        findings.add(document.problems)
        if let root = document.root, case .mapping(let entries) = root.content {
            let reader = UpstreamReader(limits: LimitSettings(), folder: NamedPath("/", in: "/"))
            for entry in entries { _ = reader.read(entry, &findings) }
        }
        return findings.problems.first.map { $0.fix.isEmpty ? $0.what : "\($0.what); \($0.fix)" }
    }
}
