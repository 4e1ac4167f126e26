import Auth
import Configuration
import Diagnostics

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The folder where the gateway keeps what must outlive it; only its owner may look inside.
package enum StateFolder {
    /// The key that seals session ids. Throws where the file holds something that is no key: replacing it would end every session.
    package static func seal(in folder: String) throws -> Seal { try Seal(key: key("seal.key", for: "sessions", in: folder)) }

    /// A key of this installation; made when there is none.
    ///
    /// Where it can't be kept there is one that lasts as long as the process, and the log says that `what` will not outlive it.
    static func key(_ name: String, for what: String, in folder: String) throws -> [UInt8] {
        let file = StateFile(path: folder + "/" + name)
        let new = try Seal.random(Seal.keyLength)
        do throws(StateError) {
            if let known = try key(in: file) { return known }
            try file.write(new)
            // Another process may have been first.
            if let known = try key(in: file) { return known }
            throw StateError(file.path, "it was removed at once")
        } catch {
            if error.isOfContent { throw error }
            Log("state").warning("\(error); \(what) will not outlive a restart")
            return new
        }
    }

    /// Where users' tokens are kept: `tokens.db`, sealed with `state_key` or with the ring in `tokens.keys`, which is made when there is none.
    static func tokenStore(_ settings: Settings, environment: [String: String]) -> TokenStore {
        let ring =
            if let reference = settings.stateKey {
                KeyRing(.reference(reference, environment: environment))
            } else {
                KeyRing(.file(settings.stateFolder + "/tokens.keys"))
            }
        return TokenStore(path: settings.stateFolder + "/tokens.db", keys: ring)
    }

    /// What is wrong with the folder as this user finds it; makes nothing that stays.
    package static func problems(in folder: String) -> (problems: [String], warnings: [String]) {
        var problems: [String] = []
        var warnings: [String] = []
        do throws(StateError) {
            try tryWriting(in: folder)
        } catch {
            warnings.append("the state folder can't be written: \(error); sessions and baselines would not outlive a restart")
        }
        do throws(StateError) {
            _ = try key(in: StateFile(path: folder + "/seal.key"))
        } catch {
            if error.isOfContent { problems.append("\(error)") } else { warnings.append("\(error)") }
        }
        if let defect = Baselines(stateFolder: folder, isQuiet: true).defect { problems.append(defect) }
        return (problems, warnings)
    }

    private static func key(in file: StateFile) throws(StateError) -> [UInt8]? {
        guard let bytes = try file.read() else { return nil }
        guard bytes.count == Seal.keyLength else {
            let what = "it holds \(bytes.count) bytes where a key has \(Seal.keyLength); restore it, or remove it to begin with a new one"
            throw StateError(file.path, what, isOfContent: true)
        }
        guard !file.isOpenToAll else {
            throw StateError(file.path, "every user of this machine may read it; chmod 600, or remove it to begin with a new one", isOfContent: true)
        }
        return bytes
    }

    /// Tries it out in the folder, or in the nearest one above it that is there: only the system knows.
    private static func tryWriting(in folder: String) throws(StateError) {
        var place = folder
        var status = stat()
        while stat(place, &status) != 0, errno == ENOENT, let slash = place.lastIndex(of: "/"), !place.isEmpty {
            place = String(place[..<slash])
        }
        let trial = "\(place)/.switchboard-\(getpid())"
        guard mkdir(trial, 0o700) == 0 else { throw .system(folder) }
        rmdir(trial)
    }
}
