import MCPProtocol

/// Whose calls a link has had.
struct Clientele {
    private var caller: [UInt8]?
    private var isMixed = false

    mutating func note(_ origin: UpstreamRequest.Origin) {
        guard !isMixed, origin.caller != caller else { return }
        isMixed = caller != nil
        caller = origin.caller
    }

    /// Whether they were all this caller's, if there were any: what the upstream asks concerns nobody else.
    func isOnly(_ other: [UInt8]) -> Bool { !isMixed && (caller == nil || caller == other) }
}
