import Auth
import Diagnostics
import JSON

extension Words {
    /// The caller that `--as` names, else the person at this machine.
    var caller: Caller {
        get throws(UsageError) {
            guard let text = self["--as"] else { return .localUser(Configured.login) }
            do throws(RuleError) {
                return try Caller.assumed(parsing: text)
            } catch {
                throw UsageError("--as \(error.what)", hint: error.fix)
            }
        }
    }

    /// The JSON object that stands at `index` of the rest; an empty one where nothing does.
    func arguments(at index: Int) throws(UsageError) -> JSONValue {
        guard rest.count > index else { return [:] }
        let arguments: JSONValue
        do {
            arguments = try JSONValue(parsing: Array(rest[index].utf8))
        } catch {
            throw UsageError("the arguments are not JSON: \(error)", hint: "write an object, e.g. '{\"city\":\"Oslo\"}'")
        }
        guard arguments.members != nil else { throw UsageError("the arguments must be a JSON object, e.g. '{\"city\":\"Oslo\"}'") }
        return arguments
    }
}
