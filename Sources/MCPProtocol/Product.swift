import JSON

/// What the gateway calls itself, towards clients and upstreams.
package enum Product {
    package static let name = "switchboard"
    package static let version = "0.1.0"
    /// An `Implementation` as JSON.
    package static let info: JSONValue = ["name": .string(name), "version": .string(version)]
    package static let infoJSON: [UInt8] = info.bytes
}
