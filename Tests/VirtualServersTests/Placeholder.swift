import Testing
@testable import VirtualServers

@Suite struct PlaceholderVirtualServers { @Test func builds() {} }
