import Testing
@testable import Network

@Suite struct PlaceholderNetwork { @Test func builds() {} }
