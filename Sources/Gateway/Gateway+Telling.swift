import Auth
import JSON
import MCPProtocol
import Transport
import VirtualServers

/// What legacy upstreams say outside of calls, of tasks and of what people do behind links.
extension Gateway {
    /// What the upstream says of that matter later is for this client, by the id that it knows it by; where it has a session, which may have a
    /// stream of its own.
    func remember(_ matter: Matter, as id: String, for call: Call, at upstream: Upstream) {
        guard call.era == .legacy, let session = call.session else { return }
        upstream.remember(Addressee(session: session, id: id), of: matter)
    }

    /// The same for a link that its person is sent to.
    func remember(_ question: Question, for call: Call, at upstream: Upstream) {
        guard question.isLink, let id = question.params["elicitationId"]?.string else { return }
        remember(.link(id), as: id, for: call, at: upstream)
    }

    /// Tells those who still may hear of it.
    func tell(_ addressees: [Addressee], _ notification: Message, about matter: Matter) {
        for addressee in addressees {
            switch matter {
            case .link: changes.tell(.said(.elicitationCompleted, ["elicitationId": .string(addressee.id)]), to: addressee.session)
            case .task:
                guard let state = (try? notification.paramsTree()).flatMap({ TaskState($0, era: .legacy) }), let seal = try? roundSeal.seal(),
                    let ticket = TaskTicket(opening: addressee.id, with: seal)
                else { continue }
                var task = state.json(for: .legacy, id: addressee.id)
                task["_meta"] = nil
                changes.tell(.said(.taskStatus, task), to: addressee.session) { mayFollow(ticket, at: $0, $1) }
            }
        }
    }

    private func mayFollow(_ ticket: TaskTicket, at server: String, _ caller: Caller) -> Bool {
        guard ticket.belongs(to: caller, at: server), let exposure = exposure(of: server, for: caller, in: snapshot),
            case .tool(let index)? = exposure.find(Wanted(tool: ticket.tool))
        else { return false }
        let permit = try? exposure.policy.access(of: caller).permit(
            caller, toFollow: index, called: ticket.tool, of: server, permittedUnder: ticket.grant)
        return permit != nil
    }
}
