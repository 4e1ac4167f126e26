import Testing
@testable import MCPProtocol

@Suite struct PlaceholderMCPProtocol { @Test func builds() {} }
