import JSON
import Testing

@testable import MCPProtocol

@Suite("Sweeps over messages")
struct MessageSweepTests {
    static let samples: [String] = [
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"é\n","arguments":{"a":[1,-2.5]},"_meta":{"progressToken":"t","x/y":1}}}"#,
        #"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","_meta":{"q":1},"content":[]}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3,"cursor":null}}"#,
        #" { "jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"\ud834\udd1e"} }"#,
    ]

    @Test("every truncation is refused", arguments: samples)
    func truncations(sample: String) {
        let bytes = bytes(sample)
        for end in bytes.indices { #expect(throws: MessageError.self) { try Message(scanning: Array(bytes[..<end])) } }
    }

    @Test("any byte at any place: what is accepted is JSON, and says the same as the tree", arguments: samples)
    func anyByte(sample: String) {
        var bytes = bytes(sample)
        for index in bytes.indices {
            let kept = bytes[index]
            for byte in UInt8.min...UInt8.max {
                bytes[index] = byte
                check(bytes)
            }
            bytes[index] = kept
        }
    }

    @Test("seeded mutations: what is accepted is JSON, and says the same as the tree")
    func mutations() {
        var random = SeededNumbers(state: 11)
        for _ in 0..<8_000 {
            var bytes = bytes(Self.samples.randomElement(using: &random) ?? "")
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(contentsOf: bytes[at..<min(at + 12, bytes.count)], at: Int.random(in: bytes.indices, using: &random))
                default: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: at)
                }
            }
            check(bytes)
        }
    }

    /// What is accepted the tree must accept too, but for duplicates that nobody looks at; and both must read the same.
    private func check(_ bytes: [UInt8]) {
        guard let message = try? Message(scanning: bytes) else { return }
        let tree: JSONValue
        do {
            tree = try JSONValue(parsing: bytes)
        } catch {
            if error.reason != .duplicateKey { Issue.record("accepted \(String(decoding: bytes, as: UTF8.self)): \(error)") }
            return
        }
        let params = tree["params"]
        let result = message.result.flatMap { try? JSONValue(parsing: $0.range, of: bytes) }
        let name = message.params.name.map { JSONValue.string(message.text($0)) }
        var isSame = tree["jsonrpc"] == "2.0" && message.methodName.map { .string(message.text($0)) } == tree["method"]
        isSame = isSame && message.id.map(message.value) == (tree["id"] == .null ? nil : tree["id"])
        isSame = isSame && result == tree["result"] && message.error.map(message.value) == tree["error"]
        isSame = isSame && message.params.arguments.map(message.value) == params?["arguments"]
        isSame = isSame && (name == params?["name"] || message.params.defect != nil)
        isSame = isSame && message.params.meta?.progressToken.map(message.value) == params?["_meta"]?["progressToken"]
        if !isSame { Issue.record("reads otherwise: \(String(decoding: bytes, as: UTF8.self))") }
    }
}
