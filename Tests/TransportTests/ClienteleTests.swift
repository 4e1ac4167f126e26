import MCPProtocol
import Testing

@testable import Transport

@Suite("Whose calls a link has had")
struct ClienteleTests {
    private func origin(_ caller: String, session: String? = nil) -> UpstreamRequest.Origin { .init(caller: bytes(caller), session: session) }

    @Test("it is one caller's until another calls, and never again after")
    func mixed() {
        var clientele = Clientele()
        #expect(clientele.isOnly(bytes("ada")) && clientele.isOnly(bytes("bob")), "nobody has called")
        for session in ["1", "2"] { clientele.note(origin("ada", session: session)) }
        #expect(clientele.isOnly(bytes("ada")) && !clientele.isOnly(bytes("bob")))
        clientele.note(origin("bob"))
        clientele.note(origin("ada"))
        #expect(!clientele.isOnly(bytes("ada")) && !clientele.isOnly(bytes("bob")))
    }
}
