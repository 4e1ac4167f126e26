import Testing

@testable import VirtualServers

@Suite struct URISpellingTests {
    @Test(arguments: [
        "file:///notes/a.txt", "greeting://Alice", "notes://team/2026?q=a%20b", "ui://app/main.html", "res:a", "search://%C3%A9t%C3%A9",
        "https://example.com/a/",
        "db://t/1:2",
    ])
    func `What reads as it is meant is plain`(_ uri: String) { #expect(URISpelling.isPlain(uri)) }

    @Test(arguments: [
        "file:///%73ecret", "file:/secret",
        "file:///pub/../secret", "file:///pub/./secret", "FILE:///secret", "file://localhost/secret", "file:////secret",
        "file:///pub//secret", "file:///secret#x", "file:///secret?x", "file:///pub%2F..%2Fsecret", "file:///pub%5Csecret", "https://EXAMPLE.com/x",
        "https://user@example.com/x", "file:///a%00", "file:///a b", "a%", "file:///a\\b", "nocolon",
    ])
    func `What an upstream may read otherwise is not`(_ uri: String) { #expect(!URISpelling.isPlain(uri)) }
}
