import JSON
import Testing

@testable import MCPProtocol

@Suite("Replies")
struct ReplyTests {
    private static let info: JSONValue = ["name": "switchboard", "version": .string(Product.version)]

    static let results: [String] = [
        "{}", "{ }", #"{"content":[]}"#, #"{"content":[],"_meta":{}}"#, #"{"_meta":{ },"content":[]}"#, #"{"_meta":{"a":1},"content":[]}"#,
        #"{"content":[],"_meta":{"a":{"io.modelcontextprotocol/serverInfo":1}}}"#, #"{ "x":1.0, "_meta" : { "a" : 1 } , "y":null }"#,
        #"{"resultType":"complete"}"#, #"{"resultType":"input_required","_meta":{}}"#, #"{"_meta":{"a":1},"resultType":"task"}"#,
        #"{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"up"}}}"#,
        #"{"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"up"},"b":2}}"#,
        #"{"content":[],"structuredContent":{"resultType":"x","_meta":{"q":1},"result":{"_meta":{}}}}"#, #"{"_meta":5,"content":[]}"#,
        #"{"\u005fmeta":{"a":1}}"#, #"{"\u0072esultType":"complete","content":[]}"#,
    ]

    @Test(
        "a hint takes the place of what the upstream says of caching, and all else stays",
        arguments: results + [
            #"{"ttlMs":5,"cacheScope":"public","contents":[]}"#, #"{ "ttlMs" : 5 , "cacheScope":"public" }"#, #"{"contents":[], "ttlMs":5}"#,
            #"{"_meta":{"a":1},"cacheScope":"private"}"#, #"{"cacheScope":"public","resultType":"complete","_meta":{},"ttlMs":1e3}"#,
        ])
    func hinted(result: String) throws {
        let response = try message(#"{"jsonrpc":"2.0","id":9,"result":\#(result)}"#)
        let plain = try tree(Reply(response, id: bytes("1"), era: .modern).bytes)
        let hinted = try tree(Reply(response, id: bytes("1"), era: .modern, hint: CacheHint(ttl: 7, isPrivate: true)).bytes)
        #expect(hinted["result"]?["ttlMs"] == 7 && hinted["result"]?["cacheScope"] == "private")
        for member in plain["result"]?.members ?? [] where !["ttlMs", "cacheScope"].contains(member.key) {
            #expect(hinted["result"]?[member.key] == member.value)
        }
        #expect(
            Reply(response, id: bytes("1"), era: .legacy, hint: CacheHint(ttl: 7, isPrivate: true)).bytes
                == Reply(response, id: bytes("1"), era: .legacy).bytes)
    }

    @Test("a modern client gets `resultType` and who answers, and all else as it came", arguments: results)
    func modern(result: String) throws {
        let response = try message(#"{"jsonrpc":"2.0","id":9,"result":\#(result)}"#)
        let reply = Reply(response, id: bytes(#""client""#), era: .modern)
        let sent = try tree(bytes(result))
        let got = try tree(reply.bytes)
        #expect(got["jsonrpc"] == "2.0")
        #expect(got["id"] == "client")
        #expect(reply.modernStatus == 200)
        var rest = try #require(got["result"])
        #expect(rest["resultType"] == sent["resultType"] ?? "complete")
        if sent["_meta"]?.members != nil || sent["_meta"] == nil {
            let key = MetaKey.serverInfo
            #expect(rest["_meta"]?[key] == sent["_meta"]?[key] ?? Self.info)
            if sent["_meta"]?[key] == nil { rest["_meta"]?[key] = nil }
            if sent["_meta"] == nil { rest["_meta"] = nil }
        }
        if sent["resultType"] == nil { rest["resultType"] = nil }
        #expect(rest == sent)
    }

    @Test("a legacy client gets the result as it is spelt, without the members that its revision does not have", arguments: results)
    func legacy(result: String) throws {
        let response = try message(#"{"jsonrpc":"2.0","id":9,"result":\#(result)}"#)
        let reply = Reply(response, id: bytes("4"), era: .legacy)
        var expected = try tree(bytes(result))
        for key in ["resultType", "ttlMs", "cacheScope"] { expected[key] = nil }
        #expect(try tree(reply.bytes)["result"] == expected)
        guard try tree(bytes(result)) == expected else { return }
        #expect(String(decoding: reply.bytes, as: UTF8.self) == #"{"jsonrpc":"2.0","id":4,"result":\#(result)}"#)
    }

    @Test(
        "modern members go wherever they stand, commas with them",
        arguments: [
            (#"{"ttlMs":1,"cacheScope":"public","resultType":"complete"}"#, "{}"),
            (#"{ "ttlMs" : 1 , "a" : 1 }"#, #"{ "a" : 1 }"#),
            (#"{"a":1,"ttlMs":1,"cacheScope":"public","b":2,"resultType":"complete"}"#, #"{"a":1,"b":2}"#),
            (#"{"resultType":"complete","ttlMs":1,"a":{"ttlMs":2}}"#, #"{"a":{"ttlMs":2}}"#),
            (#"{"content":[],"structuredContent":[1,{"a":2}]}"#, #"{"content":[]}"#),
            (#"{"structuredContent":"text" , "content":[]}"#, #"{"content":[]}"#),
            (#"{"structuredContent":null,"resultType":"complete"}"#, #"{"content":[]}"#),
            (#"{"content":[],"structuredContent":5,"isError":false}"#, #"{"content":[],"isError":false}"#),
            (#"{"structured\u0043ontent":[],"content":[]}"#, #"{"content":[]}"#),
            (#"{"structuredContent":{"structuredContent":[]},"ttlMs":1}"#, #"{"content":[],"structuredContent":{"structuredContent":[]}}"#),
        ])
    func stripped(result: String, left: String) throws {
        let reply = Reply(try message(#"{"jsonrpc":"2.0","id":9,"result":\#(result)}"#), id: bytes("4"), era: .legacy)
        #expect(try tree(reply.bytes)["result"] == (try tree(bytes(left))))
    }

    @Test("where a tool gives structured content only, clients get an empty `content` with it", arguments: [Era.modern, .legacy])
    func completed(era: Era) throws {
        let response = try message(#"{"jsonrpc":"2.0","id":9,"result":{"structuredContent":{"a":1}}}"#)
        let result = try tree(Reply(response, id: bytes("4"), era: era).bytes)["result"]
        #expect(result?["content"] == [])
        #expect(result?["structuredContent"] == ["a": 1])
    }

    @Test("structured content of any kind goes to modern clients", arguments: ["[1]", "\"text\"", "5", "null", "{}"])
    func structured(value: String) throws {
        let response = try message(#"{"jsonrpc":"2.0","id":9,"result":{"structuredContent":\#(value),"resultType":"complete"}}"#)
        #expect(try tree(Reply(response, id: bytes("4"), era: .modern).bytes)["result"]?["structuredContent"] == (try tree(bytes(value))))
    }

    @Test(
        "an upstream's error passes, with the status that its code has",
        arguments: [(-32602, 400), (-32601, 404), (-32020, 400), (-32021, 400), (-32022, 400), (-32603, 200), (-32002, 200), (7, 200)])
    func errors(code: Int, status: Int) throws {
        let error = #"{"code":\#(code),"message":"m","data":{"a":1.0}}"#
        let response = try message(#"{"error":\#(error),"jsonrpc":"2.0","id":9}"#)
        for era in [Era.legacy, .modern] {
            let reply = Reply(response, id: bytes("4"), era: era)
            #expect(String(decoding: reply.bytes, as: UTF8.self) == #"{"jsonrpc":"2.0","id":4,"error":\#(error)}"#)
            #expect(reply.modernStatus == status)
        }
    }

    @Test("results of our own are complete in the modern era and bare in the legacy one")
    func own() throws {
        #expect(String(decoding: Reply(result: [], id: bytes("1"), era: .legacy).bytes, as: UTF8.self) == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        for members in ["", #""tools":[]"#] {
            let result = try tree(Reply(result: bytes(members), id: bytes("1"), era: .modern).bytes)["result"]
            #expect(result?["resultType"] == "complete")
            #expect(result?["_meta"]?[MetaKey.serverInfo] == Self.info)
            #expect((result?["tools"] != nil) == !members.isEmpty)
        }
    }

    @Test("errors of our own name the request's id, or null where it could not be read")
    func ownErrors() throws {
        let error = ProtocolError(.invalidParams, "a “quote” \" and \n", data: [1, nil])
        let known = try tree(Reply(error, id: bytes(#""\u0061""#)).bytes)
        #expect(known["id"] == "a")
        #expect(known["error"] == ["code": -32602, "message": "a “quote” \" and \n", "data": [1, nil]])
        #expect(try tree(Reply(error, id: [], isIDKnown: false).bytes)["id"] == .null)
    }
}
