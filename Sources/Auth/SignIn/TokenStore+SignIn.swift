extension TokenStore {
    /// A user's token for an upstream; nil where they have not signed in.
    func signInToken(of identity: CallerIdentity, _ upstream: String) async throws(CredentialFailure) -> SignInToken? {
        try await read(identity, upstream).flatMap(SignInToken.init(parsing:))
    }

    func save(_ token: SignInToken, of identity: CallerIdentity, _ upstream: String) async throws(CredentialFailure) {
        try await write(token.bytes, identity, upstream)
    }

    func forgetSignIn(of identity: CallerIdentity, _ upstream: String) async throws(CredentialFailure) {
        try await kept { () async throws(TokenStoreFailure) in try await delete(for: identity, upstream: upstream) }
    }

    func registration(at server: String, for redirect: String) async throws(CredentialFailure) -> RegisteredClient? {
        try await read(Self.registrar(server, redirect), "").flatMap(RegisteredClient.init(parsing:))
    }

    func save(_ client: RegisteredClient, at server: String, for redirect: String) async throws(CredentialFailure) {
        try await write(client.bytes, Self.registrar(server, redirect), "")
    }

    /// The authorization server that knows a client of that id, which was registered by hand, for that upstream; nil before the first sign-in.
    func home(of clientID: String, for address: String) async throws(CredentialFailure) -> String? {
        try await read(Self.client(clientID, address), "").map { String(decoding: $0, as: UTF8.self) }
    }

    func save(home issuer: String, of clientID: String, for address: String) async throws(CredentialFailure) {
        try await write(Array(issuer.utf8), Self.client(clientID, address), "")
    }

    private static func client(_ id: String, _ address: String) -> CallerIdentity { CallerIdentity(realm: "client", user: id, client: address) }

    /// Registrations stand among the users' tokens, under a name that no caller can have.
    private static func registrar(_ server: String, _ redirect: String) -> CallerIdentity {
        CallerIdentity(realm: "registration", user: server, client: redirect)
    }

    private func read(_ identity: CallerIdentity, _ upstream: String) async throws(CredentialFailure) -> [UInt8]? {
        try await kept { () async throws(TokenStoreFailure) in try await load(for: identity, upstream: upstream) }
    }

    private func write(_ bytes: [UInt8], _ identity: CallerIdentity, _ upstream: String) async throws(CredentialFailure) {
        try await kept { () async throws(TokenStoreFailure) in try await save(bytes, for: identity, upstream: upstream) }
    }

    private func kept<Value>(_ body: () async throws(TokenStoreFailure) -> Value) async throws(CredentialFailure) -> Value {
        do throws(TokenStoreFailure) {
            return try await body()
        } catch {
            throw .unresolved(error.description)
        }
    }
}
