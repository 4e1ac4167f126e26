import Diagnostics

/// What the listeners prove themselves with, as written under `tls:`; paths from the root.
package struct TLSSettings: Hashable, Sendable {
    /// PEM, the whole chain.
    package var certificate: String
    package var privateKey: String
    /// Authorities whose client certificates prove who calls; nil where none are asked for.
    package var clientCA: String?
    package var position: SourcePosition

    package init(certificate: String, privateKey: String, clientCA: String? = nil, position: SourcePosition) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.clientCA = clientCA
        self.position = position
    }

    /// All files, for `FileWatch`.
    package var files: [String] { [certificate, privateKey] + (clientCA.map { [$0] } ?? []) }
}
