import Testing
@testable import Auth

@Suite struct PlaceholderAuth { @Test func builds() {} }
