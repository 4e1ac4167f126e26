import Audit
import Diagnostics

/// Reads `audit:`.
struct AuditReader {
    /// The folder that a relative path starts from.
    let folder: NamedPath

    func read(_ node: YAMLNode, _ findings: inout Findings) -> AuditSettings? {
        guard let section = Section(node, "`audit`", .init(known: ["file", "when_unwritable", "values"]), &findings) else { return nil }
        let whenUnwritable: AuditSettings.WhenUnwritable? = section["when_unwritable"].flatMap { node in
            node.choice("when_unwritable", ["refuse": .refuse, "serve": .serve], &findings)
        }
        let values: AuditSettings.Values? = section["values"].flatMap { node in
            node.choice("values", ["digest": .digest, "none": AuditSettings.Values.none, "full": .full], &findings)
        }
        guard let destination = destination(section, &findings) else { return nil }
        return AuditSettings(
            destination, whenUnwritable: whenUnwritable ?? .refuse, values: values ?? .digest, position: section.position(of: "file"))
    }

    private func destination(_ section: Section, _ findings: inout Findings) -> AuditSettings.Destination? {
        guard let file = section["file"] else {
            findings.add("`audit` does not say where to", at: section.position, fix: "write `file: audit.jsonl`, or `file: stdout`")
            return nil
        }
        guard let text = file.text("file", &findings) else { return nil }
        if text == "stdout" { return .standardOutput }
        let path = folder.appending(text)
        if isFolder(path.absolute) {
            findings.add("\(quoted(text)) is a folder", at: file.position, fix: "name a file in it")
        } else if !isFolder(path.folder.absolute) {
            findings.add("the folder of \(quoted(text)) does not exist", at: file.position, fix: "create it")
        }
        return .file(path.absolute)
    }
}
