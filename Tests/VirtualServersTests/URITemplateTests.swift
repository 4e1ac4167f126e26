import Testing

@testable import VirtualServers

@Suite struct URITemplateTests {
    @Test(
        arguments: [
            ("test://item/{id}", "test://item/7", true), ("test://item/{id}", "test://item/", false), ("test://item/{id}", "test://item/7/8", false),
            ("test://item/{id}", "test://item/7?x", false), ("test://item/{id}", "other://item/7", false),
            ("test://{id}/data", "test://123/data", true), ("test://{id}/data", "test://123/date", false),
            ("file:///{+path}", "file:///a/b/c.txt", true), ("file:///{+path}", "file:///", false),
            ("x://a{?q,r}", "x://a", true), ("x://a{?q,r}", "x://a?q=1&r=2", true), ("x://a{/p*}", "x://a/b/c", true), ("x://a{#f}", "x://a#f", true),
            ("x://{a}.{b}", "x://one.two", true), ("x://{a}.{b}", "x://one", false), ("x://{a,b}", "x://1,2", true), ("plain://x", "plain://x", true),
            ("plain://x", "plain://xy", false), ("x://{open", "x://{open", true), ("", "", true), ("x://ü/{a}", "x://ü/ä", true),
        ])
    func `A template stands for the URIs that it can be expanded to`(_ template: String, _ uri: String, _ isMatch: Bool) {
        #expect(URITemplate(template).matches(uri) == isMatch)
    }

    @Test func `A template that could match in many ways takes no longer than the product of both lengths`() {
        let template = URITemplate(String(repeating: "{a}{+b}", count: 200) + "!")
        #expect(!template.matches(String(repeating: "a", count: 2_000)))
    }
}
