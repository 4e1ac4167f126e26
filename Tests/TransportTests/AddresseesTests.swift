import MCPProtocol
import Testing

@testable import Transport

@Suite("Who is told what an upstream says outside of calls")
struct AddresseesTests {
    private let addressees = Addressees()

    @Test("a matter is its addressees' only, and another of the same name is another")
    func matters() {
        let (ada, bob) = (Addressee(session: "ada", id: "1"), Addressee(session: "bob", id: "2"))
        addressees.add(ada, of: .task("x"))
        addressees.add(ada, of: .task("x"))
        addressees.add(bob, of: .link("x"))
        #expect(addressees[.task("x")] == [ada])
        #expect(addressees[.link("x")] == [bob])
        #expect(addressees[.task("y")].isEmpty)
        addressees.removeAll()
        #expect(addressees[.task("x")].isEmpty)
    }

    @Test("only the latest are known, and few of each")
    func bounds() {
        for number in 0..<5_000 { addressees.add(Addressee(session: "s", id: "\(number)"), of: .task("\(number)")) }
        #expect(addressees[.task("0")].isEmpty && addressees[.task("3999")].isEmpty)
        #expect(!addressees[.task("4999")].isEmpty && !addressees[.task("4100")].isEmpty)
        for number in 0..<100 { addressees.add(Addressee(session: "\(number)", id: "x"), of: .link("x")) }
        #expect(addressees[.link("x")].count == 8)
    }

    @Test(
        "a notification names its matter",
        arguments: [
            (#"{"method":"notifications/tasks/status","params":{"taskId":"a","status":"working"}}"#, Matter.task("a")),
            (#"{"method":"notifications/elicitation/complete","params":{"elicitationId":"a"}}"#, .link("a")),
            (#"{"method":"notifications/elicitation/complete","params":{"taskId":"a"}}"#, nil),
            (#"{"method":"notifications/tasks/status"}"#, nil), (#"{"method":"notifications/message","params":{"taskId":"a"}}"#, nil),
        ] as [(String, Matter?)])
    func named(text: String, matter: Matter?) throws {
        #expect(Matter(try message(#"{"jsonrpc":"2.0","# + text.dropFirst())) == matter)
    }

    @Test("what is said to a session is heard on its own stream, by whom it concerns")
    func sessions() async {
        let feed = ChangeFeed()
        let listeners = ["a", "b", nil].map { session in
            let client = session.map { SessionClient(session: $0, abilities: [], questions: ClientQuestions(), name: $0) }
            return feed.listen(to: "team", as: .anonymous, in: client)
        }
        feed.tell(.said(.taskStatus, ["taskId": "1"]), to: "a")
        feed.tell(.said(.taskStatus, ["taskId": "2"]), to: "b") { server, _ in server != "team" }
        for listener in listeners { feed.leave(listener) }
        #expect(await listeners[0].changes.next() == .said(.taskStatus, ["taskId": "1"]))
        for listener in listeners { #expect(await listener.changes.next() == nil) }
    }
}
