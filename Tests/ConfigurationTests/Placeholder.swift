import Testing
@testable import Configuration

@Suite struct PlaceholderConfiguration { @Test func builds() {} }
