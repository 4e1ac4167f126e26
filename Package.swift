// swift-tools-version: 6.1
import PackageDescription

// Bottom-up: each layer may import only what stands above it in this list.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

func layer(_ name: String, on dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, on dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(of name: String, on dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: settings)
}

let package = Package(
    name: "switchboard",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "switchboard", targets: ["switchboard"]),
        .executable(name: "sample-server", targets: ["sample-server"]),
        .executable(name: "bench-client", targets: ["bench-client"]),
    ],
    targets: [
        // What the operating system keeps well.
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(name: "CShims"),
        // Foundations.
        layer("Diagnostics"),
        layer("JSON"),
        layer("Network", on: ["CShims", "COpenSSL", "Diagnostics"]),
        // The product.
        layer("MCPProtocol", on: ["JSON"]),
        layer("Auth", on: ["COpenSSL", "CSQLite", "Diagnostics", "JSON", "MCPProtocol"]),
        layer("Audit", on: ["Auth", "COpenSSL", "Diagnostics", "JSON"]),
        layer("VirtualServers", on: ["Auth", "Diagnostics", "JSON", "MCPProtocol"]),
        layer("Transport", on: ["Auth", "Diagnostics", "JSON", "MCPProtocol", "Network"]),
        layer("Configuration", on: ["Audit", "Auth", "CYAML", "Diagnostics", "JSON", "Network", "Transport", "VirtualServers"]),
        layer(
            "Gateway",
            on: ["Audit", "Auth", "Configuration", "Diagnostics", "JSON", "MCPProtocol", "Network", "Transport", "VirtualServers"]),
        program(
            "switchboard", on: ["Auth", "Configuration", "Diagnostics", "Gateway", "JSON", "Network", "Transport", "VirtualServers"]),
        // Small MCP servers and a load generator: for the demo, the tests and the bench.
        program("sample-server", on: ["Diagnostics", "JSON", "Network"]),
        program("bench-client", on: ["Diagnostics", "JSON", "Network"]),
        tests(of: "JSON"),
        tests(of: "Network", on: ["Diagnostics"]),
        tests(of: "MCPProtocol", on: ["JSON"]),
        tests(of: "Auth", on: ["COpenSSL", "CSQLite", "Diagnostics", "JSON", "MCPProtocol"]),
        tests(of: "Audit", on: ["Auth", "Diagnostics", "JSON"]),
        tests(of: "VirtualServers", on: ["Auth", "Diagnostics", "JSON", "MCPProtocol"]),
        tests(of: "Transport", on: ["Auth", "Diagnostics", "JSON", "MCPProtocol", "Network"]),
        tests(of: "Configuration", on: ["Audit", "Auth", "Diagnostics", "JSON", "Transport", "VirtualServers"]),
        tests(of: "Gateway", on: ["Audit", "Auth", "Configuration", "Diagnostics", "JSON", "MCPProtocol", "Network", "Transport", "VirtualServers"]),
    ]
)
