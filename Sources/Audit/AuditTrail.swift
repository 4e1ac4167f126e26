import Auth
import Diagnostics

/// What is noted of one call on its way. Whoever knows something writes it here; where the call ends it becomes an event.
package final class AuditTrail {
    package var event: AuditEvent
    private let began = ContinuousClock.now

    package init(_ event: AuditEvent) { self.event = event }

    /// Which upstream the call means and what that calls the thing, and what of its arguments must not be recorded.
    package func found(_ upstream: String, _ name: String, concealing names: Set<String>?, redaction: (@Sendable () -> Redaction)?) {
        event.upstream = upstream
        event.upstreamName = name
        event.concealed = names ?? []
        event.redaction = redaction
        event.decision = nil
        event.outcome = .denied
    }

    /// Which upstream the call means, whose tools are not known, and what the rules say of that.
    package func meant(_ upstream: String, _ decision: Decision) {
        event.upstream = upstream
        event.decision = decision
    }

    /// The upstream that was meant has no such thing.
    package func foundNothing() {
        event.upstream = nil
        event.decision = nil
        event.outcome = event.message?.kind.unknown ?? .unknownTool
    }

    /// The gateway itself has answered, for this upstream.
    package func answered(for upstream: String) {
        event.upstream = upstream
        event.outcome = .allowed
    }

    /// What the rules say.
    package func decided(_ decision: Decision) {
        event.decision = decision
        event.outcome = decision.isAllowed ? .invalid : .denied
    }

    /// Its arguments may not be, whatever the rules say.
    package func invalid() { event.outcome = .invalid }

    /// Nothing stands in its way: what follows is the upstream's doing.
    package func passedOn() { event.outcome = .failed }

    /// The upstream gave a result.
    package func succeeded() { event.outcome = .allowed }

    /// Why it did not; the id is the one that the caller is told.
    package func failed(_ kind: String, id: ErrorID? = nil) {
        event.outcome = .failed
        event.failure = CallFailure(kind, id: id)
    }

    /// The event, at the call's end.
    package func ended(_ outcome: AuditEvent.Outcome? = nil) -> AuditEvent {
        if let outcome { event.outcome = outcome }
        event.duration = .now - began
        return event
    }
}
