import JSON
import Testing

@testable import MCPProtocol

@Suite struct ClientAbilitiesTests {
    private static let cases: [(String, Revision, ClientAbilities)] = [
        ("{}", .v2025_11_25, []),
        (#"{"elicitation":{}}"#, .v2025_11_25, .forms),
        (#"{"elicitation":{"form":{}}}"#, .v2025_11_25, .forms),
        (#"{"elicitation":{"url":{}}}"#, .v2025_11_25, .links),
        (#"{"elicitation":{"form":{},"url":{}}}"#, .v2026_07_28, [.forms, .links]),
        (#"{"elicitation":{"form":{},"url":{}}}"#, .v2025_06_18, .forms),
        (#"{"elicitation":{},"sampling":{}}"#, .v2025_03_26, .sampling),
        (#"{"sampling":{"tools":{},"context":{}}}"#, .v2025_11_25, [.sampling, .samplingTools, .samplingContext]),
        (#"{"sampling":{"tools":{}}}"#, .v2025_06_18, .sampling),
        (#"{ "roots" : { "listChanged" : true }, "experimental":{"a":[{}]} }"#, .v2024_11_05, [.roots, .rootsChanges]),
        (#"{"roots":{"listChanged":true}}"#, .v2026_07_28, .roots), (#"{"roots":{"listChanged":false,"other":true}}"#, .v2025_11_25, .roots),
        (#"{"elicitation":null,"sampling":true,"roots":1}"#, .v2025_11_25, []),
        (#"{"elicitation":{"form":null}}"#, .v2025_11_25, .forms),
        ("[]", .v2025_11_25, []), ("{\"roots\":{}", .v2025_11_25, []),
    ]

    @Test(arguments: cases)
    func `What a client may be asked is read from its capabilities and its revision`(
        _ capabilities: String, _ revision: Revision, _ expected: ClientAbilities
    ) {
        #expect(ClientAbilities(Array(capabilities.utf8), of: revision) == expected)
    }

    @Test(arguments: UInt8(0)..<128)
    func `Abilities survive the way through capabilities`(_ value: UInt8) {
        let abilities = ClientAbilities(rawValue: value)
        var expected = abilities
        if !expected.contains(.sampling) { expected.subtract([.samplingTools, .samplingContext]) }
        if !expected.contains(.roots) { expected.remove(.rootsChanges) }
        #expect(ClientAbilities(abilities.capabilities.bytes, of: .latestLegacy) == expected)
    }
}
