import Auth
import Diagnostics
import Transport

/// Whether the secrets that the configuration refers to can be had now, and keys are keys; it never shows a value.
struct SecretCheck {
    let environment: [String: String]

    func problems(of upstream: UpstreamDefinition) -> [Problem] {
        let missing = problems(of: Self.references(of: upstream))
        return missing.isEmpty ? upstream.credential.signings.compactMap(problem) : missing
    }

    /// What is wrong with the keys that tokens at rest are sealed with.
    func problems(ofKeyRing reference: SecretReference) -> [Problem] {
        let missing = problems(of: [reference])
        guard missing.isEmpty, let obstacle = KeyRing.obstacle(to: reference, environment: environment) else { return missing }
        return [Problem(obstacle, at: reference.position, fix: "make one with `openssl rand -base64 32`")]
    }

    private func problem(of signing: SigningDefinition) -> Problem? {
        let fix = "write a private key in PEM of the kind that `algorithm` wants, without a passphrase"
        return signing.obstacle(environment: environment).map { Problem($0, at: signing.key.position, fix: fix) }
    }

    /// What is wrong with those references, one problem each.
    func problems(of references: [SecretReference]) -> [Problem] {
        references.flatMap { reference in
            reference.names.compactMap { problem(of: $0, at: reference.position) }
        }
    }

    /// The files that secrets stand in, each once.
    static func files(of upstreams: [UpstreamDefinition]) -> [String] {
        let paths = upstreams.flatMap(references).flatMap(\.names).compactMap { if case .file(let path) = $0 { path } else { nil } }
        return Set(paths).sorted()
    }

    private func problem(of part: SecretReference.Part, at position: SourcePosition) -> Problem? {
        switch part {
        case .text: return nil
        case .environment(let name):
            guard let value = environment[name] else {
                let near = suggestion(for: name, among: environment.keys.sorted())
                return Problem(
                    "the variable \(name) is not set", at: position, fix: near.map { "set it, or did you mean \($0)?" } ?? "set it in the environment"
                )
            }
            return value.isEmpty ? Problem("the variable \(name) is empty", at: position, fix: "set it in the environment") : nil
        case .file(let path):
            switch FileContent.read(path, bytesMax: 64 << 10) {
            case .bytes(let bytes):
                return bytes.isEmpty ? Problem("the file \(path) is empty", at: position, fix: "write the secret into it") : nil
            case .missing: return Problem("there is no file \(path)", at: position, fix: "create it with the secret as its only line")
            case .notAFile: return Problem("\(path) is not a file", at: position, fix: "name a file that holds the secret")
            case .tooLarge: return Problem("the file \(path) is larger than 64 KiB", at: position, fix: "name a file that holds only the secret")
            case .unreadable(let reason): return Problem("\(path) cannot be read: \(reason)", at: position, fix: "look at its permissions")
            }
        }
    }

    private static func references(of upstream: UpstreamDefinition) -> [SecretReference] {
        var references: [SecretReference] = []
        if case .command(_, _, let environment, _) = upstream.endpoint { references += environment.map(\.value) }
        return references + upstream.credential.references
    }
}
