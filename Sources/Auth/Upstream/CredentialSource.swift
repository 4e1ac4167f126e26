import Diagnostics
import Synchronization

/// The credentials of one upstream, rendered as header lines: which one is whose, each kept and renewed by itself.
package final class CredentialSource: Sendable {
    /// Beyond this many callers, those unseen for longest are forgotten; their tokens are asked for again.
    private static let slotsMax = 10_000

    private struct Choice {
        var who: [WhoPattern]
        var grant: any CredentialGrant
        /// Where the credential is the same for everybody.
        var slot: CredentialSlot?
    }

    private struct Slots {
        var byKey: [CredentialKey: (slot: CredentialSlot, used: ContinuousClock.Instant)] = [:]
    }

    private let upstream: String
    private let choices: [Choice]
    private let services: CredentialServices
    private let log: Log
    private let slots = Mutex(Slots())

    /// `address` is the upstream's own, where it has one.
    package convenience init(_ definition: CredentialDefinition, upstream: String, address: String = "", services: CredentialServices) {
        let entries: [(who: [WhoPattern], grant: any CredentialGrant)] =
            if case .firstOf(let choices) = definition {
                choices.map { ($0.who, $0.credential.grant(upstream: upstream, address: address, services: services)) }
            } else {
                [([], definition.grant(upstream: upstream, address: address, services: services))]
            }
        self.init(entries, upstream: upstream, services: services)
    }

    init(_ entries: [(who: [WhoPattern], grant: any CredentialGrant)], upstream: String, services: CredentialServices) {
        self.upstream = upstream
        self.services = services
        let log = Log(upstream)
        self.log = log
        choices = entries.map { entry in
            Choice(
                who: entry.who, grant: entry.grant,
                slot: entry.grant.dependsOnCaller ? nil : CredentialSlot(entry.grant, services: services, log: log))
        }
    }

    /// Whether callers may have different ones.
    package var dependsOnCaller: Bool { choices.count != 1 || choices.contains { $0.grant.dependsOnCaller || !$0.who.isEmpty } }

    /// What the caller's credential is told from others by; nil where there is none for this caller.
    package func key(for caller: Caller) -> CredentialKey? {
        for (index, choice) in choices.enumerated() where choice.who.isEmpty || choice.who.contains(where: { $0.matches(caller) }) {
            guard choice.grant.dependsOnCaller else { return CredentialKey(choice: index) }
            return CredentialKey(choice: index, identity: caller.identity, content: choice.grant.dependsOnToken ? caller.token?.content : nil)
        }
        return nil
    }

    /// `Name: value` lines, each ended by CRLF, where nothing needs to be done for them. Hold them no longer than it takes to send them.
    package func known(for caller: Caller) -> [UInt8]? { key(for: caller).flatMap { slot(for: $0)?.known() } }

    /// The same, asked for where they are not known or no longer good.
    ///
    /// While the old ones are good they stay in use: a file that can't be read or a server that gives no token takes nothing away.
    package func lines(for caller: Caller) async throws(CredentialFailure) -> [UInt8] {
        guard let key = key(for: caller), let slot = slot(for: key) else {
            throw .notForCaller("no entry of its `credential` is for \(caller)")
        }
        if let known = slot.known() { return known }
        return try await slot.lines(for: caller)
    }

    /// The upstream has refused these lines: asks for others, once. Nil when there are none to try with.
    package func refused(_ lines: [UInt8], for caller: Caller) async throws(CredentialFailure) -> [UInt8]? {
        guard let key = key(for: caller), let slot = slot(for: key) else { return nil }
        return try await slot.refused(lines, for: caller)
    }

    /// The upstream has refused also these, which were made in the place of refused ones; throws where there are none from now on.
    package func refusedAgain(_ lines: [UInt8], for caller: Caller) async throws(CredentialFailure) {
        guard let key = key(for: caller), let slot = slot(for: key) else { return }
        try await slot.refusedAgain(lines, for: caller)
    }

    /// Drops what is kept for that key, so that the next call asks anew.
    package func forget(_ key: CredentialKey) {
        if let shared = choices[key.choice].slot { shared.forget() } else { slots.withLock { $0.byKey.removeValue(forKey: key) }?.slot.forget() }
    }

    /// Masks what the upstream was given for that key, and what was given for all.
    package func redaction(for key: CredentialKey?) -> Redaction {
        var secrets = choices.compactMap(\.slot).flatMap(\.secrets)
        if let key { secrets += slots.withLock { $0.byKey[key]?.slot }?.secrets ?? [] }
        return Redaction(secrets)
    }

    private func slot(for key: CredentialKey) -> CredentialSlot? {
        if let slot = choices[key.choice].slot { return slot }
        let now = services.now()
        return slots.withLock { slots in
            if let known = slots.byKey[key]?.slot {
                slots.byKey[key]?.used = now
                return known
            }
            if slots.byKey.count >= Self.slotsMax {
                let eldest = slots.byKey.sorted { $0.value.used < $1.value.used }.prefix(Self.slotsMax / 10)
                for entry in eldest { slots.byKey[entry.key] = nil }
            }
            let slot = CredentialSlot(choices[key.choice].grant, services: services, log: log)
            slots.byKey[key] = (slot, now)
            return slot
        }
    }
}

extension CredentialDefinition {
    /// What makes credentials of this form.
    fileprivate func grant(upstream: String, address: String, services: CredentialServices) -> any CredentialGrant {
        switch self {
        case .none, .bearer, .headers, .basic, .firstOf: StaticGrant(definition: self, environment: services.environment)
        case .clientCredentials(let client, let demand): ClientCredentialsGrant(client: client, demand: demand, upstream: address, services: services)
        case .tokenExchange(let client, let demand): TokenExchangeGrant(client: client, demand: demand, upstream: address, services: services)
        case .signedJWT(let definition): SignedTokenGrant(definition: definition, services: services)
        case .authorizationCode(let definition):
            AuthorizationCodeGrant(definition: definition, upstream: upstream, address: address, services: services)
        }
    }
}
