import Configuration
import Diagnostics
import Gateway
import Network
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What commands that work on a configuration have in common.
enum Configured {
    static let defaultPath = "gateway.yaml"
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// The configuration; nil after its problems were printed. Secrets that can't be had are warnings: their upstreams are down.
    /// Commands that are not `isServing` leave warnings to `check`, and say themselves which upstream is missing.
    static func settings(_ words: Words, isServing: Bool) -> (path: String, settings: Settings, watch: FileWatch)? {
        let path = words["--config"] ?? defaultPath
        let watch = FileWatch([path])
        switch Settings.load(path: path, environment: environment) {
        case .problems(let problems, _):
            for problem in problems { printError(problem.description) }
            return nil
        case .settings(let settings, let warnings):
            for problem in warnings + settings.unresolved.values.joined() where isServing { printError("warning: \(problem.description)") }
            return (path, settings, watch)
        }
    }

    /// The virtual server that `--server` names; nil after saying what there is.
    static func server(_ name: String, in settings: Settings) -> String? {
        let names = settings.virtualServers.map(\.name)
        if names.contains(name) { return name }
        let near = suggestion(for: name, among: names).map { "did you mean “\($0)”?" } ?? "there are: \(names.joined(separator: ", "))"
        printError("there is no virtual server “\(name)”; \(near)")
        return nil
    }

    /// Opens the audit of a command whose standard output has another use; false after saying why that can't be.
    static func openAudit(_ gateway: Gateway) -> Bool {
        do throws(ConfigurationError) {
            try gateway.openAudit(isStandardOutputTaken: true)
            return true
        } catch {
            printError(error.description)
            return false
        }
    }

    /// This program, from the root.
    static var executablePath: String {
        #if os(Linux)
            if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") { return path }
        #endif
        let word = CommandLine.arguments[0]
        return word.hasPrefix("/") ? word : FileManager.default.currentDirectoryPath + "/" + word
    }

    /// Commands that end by themselves say what is wrong in their own words, once, and leave the running commentary to those that serve.
    static func log(only level: Log.Level) { Log.threshold.store(level.rawValue, ordering: .relaxed) }

    /// The login of whoever runs this, as the system knows it, whatever the environment says; the number where it has no name.
    static let login: String = {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var space = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(geteuid(), &entry, &space, space.count, &found) == 0, let name = found?.pointee.pw_name else { return String(geteuid()) }
        return String(cString: name)
    }()
}
