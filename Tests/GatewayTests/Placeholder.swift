import Testing
@testable import Gateway

@Suite struct PlaceholderGateway { @Test func builds() {} }
