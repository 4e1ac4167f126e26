import Testing
@testable import Transport

@Suite struct PlaceholderTransport { @Test func builds() {} }
