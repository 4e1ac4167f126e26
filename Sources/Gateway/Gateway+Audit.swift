import Audit
import Auth
import Configuration
import Diagnostics
import JSON
import MCPProtocol
import Network
import Transport

extension Gateway {
    /// Lets a call on its way when it can be recorded, and records how it ended, however that was.
    func audited(_ call: Call, _ way: (AuditTrail?) async throws -> Reply?) async throws -> Reply? {
        guard let audit else { return try await way(nil) }
        let trail = AuditTrail(AuditEvent(of: call))
        if let obstacle = audit.obstacle, audit.settings.whenUnwritable == .refuse { throw refuse(trail, obstacle, audit) }
        do {
            let reply = try await way(trail)
            audit.record(reply == nil ? trail.ended(.cancelled) : trail.ended())
            return reply
        } catch {
            if trail.event.outcome == .failed, trail.event.failure == nil { trail.failed("unanswerable") }
            audit.record(trail.ended())
            throw error
        }
    }

    private func refuse(_ trail: AuditTrail, _ obstacle: AuditFailure, _ audit: AuditLog) -> ProtocolError {
        let id = ErrorID()
        trail.failed("audit_unwritable", id: id)
        audit.record(trail.ended(.refused))
        Log("audit").warning("call refused, error id \(id): the audit can't be written: \(obstacle)")
        return ProtocolError(.internalError, "The call was refused, since it can't be recorded at present (error id \(id))")
    }

    package func turnedAway(_ caller: Caller?, from server: String?, peer: String?, transport: ClientTransport, because reason: String) {
        guard let audit else { return }
        var event = AuditEvent(caller: caller, virtualServer: server, origin: CallOrigin(transport: transport.rawValue, peer: peer))
        event.outcome = caller == nil ? .unauthenticated : .denied
        event.failure = CallFailure(reason)
        audit.recordAtDoor(event)
    }

    static func audit(for settings: Settings) -> AuditLog? {
        guard let audit = settings.audit else { return nil }
        let key = audit.values == .none ? [] : (try? StateFolder.key("audit.key", for: "digests in the audit", in: settings.stateFolder)) ?? []
        let masking = ArgumentMasking(
            isSecretMember: { SecretLook.isSecretMember($0, $1) }, isSecretValue: { SecretLook.isSecretValue($0) || APIKeyText.stands(in: $0) })
        return AuditLog(audit, key: key, masking: masking)
    }

    /// Follows a rotation of the audit's file at once, and not only with the next event.
    func reopenAudit() { audit?.reopen() }

    /// Waits until what was recorded is on the disk, or can't be.
    package func flushAudit() async {
        guard let audit else { return }
        let done = Mailbox<Bool>(capacity: 1)
        audit.flush { _ = done.send(true) }
        _ = await done.next(within: .seconds(3))
    }
}

extension AuditLog {
    /// Whether calls are refused now, for none could be recorded.
    var refusesCalls: Bool { settings.whenUnwritable == .refuse && obstacle != nil }

    /// What `/readyz` shows.
    var report: JSONValue {
        let obstacle = obstacle
        var report: JSONValue = [
            "state": obstacle == nil ? "writable" : "unwritable", "when_unwritable": .string(settings.whenUnwritable == .refuse ? "refuse" : "serve"),
            "lost": .number(String(lost)),
        ]
        report["reason"] = obstacle.map { .string($0.description) }
        return report
    }
}

extension AuditEvent {
    fileprivate init(of call: Call) {
        let params = call.message.params
        let (kind, text): (AuditedMessage.Kind, JSONText?) =
            switch call.message.method {
            case .getPrompt: (.prompt, params.name)
            case .readResource: (.resource, params.uri)
            default: (.tool, params.name)
            }
        let name = call.message.text(text)
        let message = AuditedMessage(
            bytes: call.message.bytes, kind: kind, method: call.message.method?.isOfTask == true ? call.message.methodText : nil, name: name ?? "",
            arguments: params.arguments?.range, meta: params.meta?.others ?? [])
        self.init(
            caller: call.caller, virtualServer: call.server,
            origin: CallOrigin(transport: call.transport.rawValue, revision: call.revision.rawValue), message: message)
        outcome = name == nil || params.defect != nil ? .invalid : kind.unknown
    }
}

extension AuditEvent {
    fileprivate static let browser = CallOrigin(transport: "browser")

    init(of signedIn: SignedIn) {
        self.init(caller: signedIn.caller, virtualServer: nil, origin: Self.browser)
        outcome = .signedIn
        upstream = signedIn.upstream
        scopes = signedIn.scopes
    }
}

extension AuditSettings {
    /// The same but for where it stands in the file.
    func isSame(as other: AuditSettings?) -> Bool {
        guard var other else { return false }
        other.position = position
        return self == other
    }
}
