import Testing

@testable import Auth

@Suite("Following up what was permitted")
struct FollowingTests {
    private func follows(_ allow: [String], deny: [String] = [], after then: [String]) throws -> Bool {
        let before = AccessPolicy([try role(allow: then)], tool("t")).access(of: .anonymous)
        let now = AccessPolicy([try role(allow: allow, deny: deny)], tool("t")).access(of: .anonymous)
        let permit = try? now.permit(.anonymous, toFollow: 0, called: "up_t", of: "s", permittedUnder: before.grant(of: 0) ?? "none")
        return permit != nil
    }

    @Test("what is allowed whatever the arguments may be followed, whatever the rules were")
    func always() throws {
        #expect(try follows(["*"], after: ["*"]))
        #expect(try follows(["*"], after: ["up_t(a=1)"]))
    }

    @Test("what is not allowed any more may not")
    func denied() throws {
        #expect(try !follows(["other"], after: ["*"]))
        #expect(try !follows(["*"], deny: ["up_t"], after: ["*"]))
    }

    @Test("where arguments decide, the rules must be those of then: the arguments are not known any more")
    func conditional() throws {
        #expect(try follows(["up_t(a=1)"], after: ["up_t(a=1)"]))
        #expect(try !follows(["up_t(a=2)"], after: ["up_t(a=1)"]))
        #expect(try !follows(["*"], deny: ["up_t(a=1)"], after: ["*"]))
        #expect(try !follows(["up_t(a=1)"], after: ["other"]))
    }
}
