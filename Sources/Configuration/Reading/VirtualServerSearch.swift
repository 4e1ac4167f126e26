import Diagnostics

/// Finds the files of the virtual servers: a folder of them, or a list.
struct VirtualServerSearch {
    /// The folder of gateway.yaml.
    let folder: NamedPath
    /// The beginning of gateway.yaml.
    let gateway: SourcePosition

    /// The files, and the other places that were looked into.
    func files(_ node: YAMLNode?, _ findings: inout Findings) -> (files: [NamedPath], others: [String]) {
        guard let node else { return inFolder("virtual-servers", at: gateway, isDefault: true, &findings) }
        guard case .sequence(let elements) = node.content else {
            guard let text = node.text("virtual_servers", &findings) else { return ([], []) }
            if text.hasSuffix(".yaml") {
                findings.add("`virtual_servers` must be a folder or a list of files", at: node.position, fix: "write `virtual_servers: [\(text)]`")
                return ([], [])
            }
            return inFolder(text, at: node.position, isDefault: false, &findings)
        }
        if elements.isEmpty {
            findings.add("`virtual_servers` is empty, so nothing would be served", at: node.position, fix: "name a file")
        }
        return listed(elements, &findings)
    }

    private func listed(_ elements: [YAMLNode], _ findings: inout Findings) -> ([NamedPath], [String]) {
        var files: [NamedPath] = []
        var missing: [String] = []
        var places: [String: (NamedPath, SourcePosition)] = [:]
        for element in elements {
            guard let text = element.text("virtual_servers", &findings) else { continue }
            let file = folder.appending(text)
            guard file.name.hasSuffix(".yaml") else {
                findings.add("\(quoted(text)) is no .yaml file", at: element.position, fix: "name files, or one folder without the brackets")
                continue
            }
            if let (first, place) = places[file.name] {
                let name = file.name.dropLast(5)
                findings.add(
                    "two files make a virtual server \"\(name)\": \(file.shown) and \(first.shown) (\(place.file):\(place.line))",
                    at: element.position, fix: "rename one of them")
                continue
            }
            places[file.name] = (file, element.position)
            // It is followed all the same, so that its coming is noticed.
            if FileContent.read(file.absolute, bytesMax: 0) == .missing {
                findings.add("there is no file \(file.shown)", at: element.position, fix: "create it, or take it out of the list")
                missing.append(file.absolute)
                continue
            }
            files.append(file)
        }
        return (files, missing)
    }

    private func inFolder(_ path: String, at position: SourcePosition, isDefault: Bool, _ findings: inout Findings) -> ([NamedPath], [String]) {
        let place = folder.appending(path)
        let begin = "create \(place.appending("default.yaml").shown) with `tools: [upstream.tool]` and `access: everyone`"
        guard let names = folderListing(place.absolute) else {
            if let reason = folderObstacle(place.absolute) {
                findings.add("the folder \(place.shown) can't be read: \(reason)", at: position, fix: "look at what it is and at its permissions")
            } else {
                findings.add("there is no folder \(place.shown)", at: position, fix: begin)
            }
            return ([], [place.absolute])
        }
        // Editors keep their copies beside the file, under other endings or behind a dot.
        let visible = names.filter { !$0.hasPrefix(".") }
        for name in visible where name.hasSuffix(".yml") {
            let start = SourcePosition(file: place.appending(name).shown, line: 1, column: 1)
            findings.add("files that end in .yml are not read", at: start, fix: "rename it to \(name.dropLast(4)).yaml")
        }
        let files = visible.filter { $0.hasSuffix(".yaml") }.map { place.appending($0) }
        if files.isEmpty && !visible.contains(where: { $0.hasSuffix(".yml") }) {
            findings.add("the folder \(place.shown) holds no virtual server", at: position, fix: begin)
        }
        if files.count > 1_000 {
            findings.add("the folder \(place.shown) holds more than 1000 files", at: position, fix: "name the files in a list")
            return ([], [place.absolute])
        }
        return (files, [place.absolute])
    }
}
