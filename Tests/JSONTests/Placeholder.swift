import Testing
@testable import JSON

@Suite struct PlaceholderJSON { @Test func builds() {} }
