extension IssuerSettings {
    /// Why this issuer's keys can't be had; nil where they can. Asks it: within some seconds.
    package func obstacle(_ fetch: @escaping Fetch, clock: @escaping @Sendable () -> Int) async -> String? {
        let keys = IssuerKeys(self, fetch: fetch, clock: clock)
        await keys.refresh()
        return keys.current == nil ? keys.failure : nil
    }
}
