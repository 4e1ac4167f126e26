import Auth
import Diagnostics

/// One decision, and what came of it. Cheap to make: it holds the message as it came, and is rendered where it is written.
package struct AuditEvent: Sendable {
    package enum Outcome: String, Sendable {
        /// It was passed on, and answered.
        case allowed
        /// A rule, or the want of one, forbids it.
        case denied
        /// The virtual server shows no such tool, prompt or resource.
        case unknownTool = "unknown_tool"
        case unknownPrompt = "unknown_prompt"
        case unknownResource = "unknown_resource"
        /// Its arguments or its form may not be; nothing was passed on.
        case invalid
        /// It was allowed, and the upstream did not answer as it should.
        case failed
        /// Nobody waits for it any more.
        case cancelled
        /// It could not have been recorded.
        case refused
        /// Not a call: the caller has given the gateway access to their account at the upstream.
        case signedIn = "signed_in"
        /// At the door: nobody whom the gateway lets in.
        case unauthenticated
    }

    package var outcome = Outcome.allowed
    package let time: EventTime
    package var duration: Duration?
    package let caller: Caller?
    package let virtualServer: String?
    package let origin: CallOrigin
    package let message: AuditedMessage?
    /// The exposed name of the tool whose task is followed up.
    package var followedTool: String?
    package var upstream: String?
    /// What the upstream calls it.
    package var upstreamName: String?
    /// What the rules said; nil where it did not come to that.
    package var decision: Decision?
    package var failure: CallFailure?
    /// What a sign-in has allowed.
    package var scopes: [String] = []
    /// How many of the same kind came in the same second and are not recorded one by one.
    var more = 0
    /// Names of arguments whose values are the gateway's own business.
    package var concealed: Set<String> = []
    /// Masks the upstream's secrets; asked for where the event is written, for it may read files.
    package var redaction: (@Sendable () -> Redaction)?

    package init(
        at time: EventTime = .now, caller: Caller?, virtualServer: String?, origin: CallOrigin, message: AuditedMessage? = nil
    ) {
        self.time = time
        self.caller = caller
        self.virtualServer = virtualServer
        self.origin = origin
        self.message = message
    }

    /// About how much memory it holds until it is written, in bytes.
    var weight: Int { 512 + (message?.bytes.count ?? 0) }
}

/// How a call reached the gateway.
package struct CallOrigin: Sendable {
    /// `http`, `sse`, `stdio`, `command` or `browser`.
    package var transport: String
    /// The protocol's revision; nil where none was settled.
    package var revision: String?
    /// The other end's address, where it has one and is not let in.
    package var peer: String?

    package init(transport: String, revision: String? = nil, peer: String? = nil) {
        self.transport = transport
        self.revision = revision
        self.peer = peer
    }
}

/// Why a call did not go well: a word for machines, and the error id that the caller and the log have too.
package struct CallFailure: Hashable, Sendable {
    package var kind: String
    package var id: ErrorID?

    package init(_ kind: String, id: ErrorID? = nil) {
        self.kind = kind
        self.id = id
    }
}

/// The parts of a request that the audit looks at, as ranges of its bytes, which are valid JSON.
package struct AuditedMessage: Sendable {
    /// What is used.
    package enum Kind: String, Sendable {
        case tool, prompt, resource

        /// The outcome where there is no such thing.
        package var unknown: AuditEvent.Outcome {
            switch self {
            case .tool: .unknownTool
            case .prompt: .unknownPrompt
            case .resource: .unknownResource
            }
        }
    }

    package let bytes: [UInt8]
    package let kind: Kind
    /// What was asked; nil for the plain use of a tool, a prompt or a resource.
    package let method: String?
    /// The tool's or prompt's name, or the resource's URI, as the caller spelt it.
    package let name: String
    /// The value of `arguments`.
    package let arguments: Range<Int>?
    /// Members of `_meta`, key and value, among which a `traceparent` may be.
    package let meta: [Range<Int>]

    package init(bytes: [UInt8], kind: Kind = .tool, method: String? = nil, name: String, arguments: Range<Int>?, meta: [Range<Int>]) {
        self.bytes = bytes
        self.kind = kind
        self.method = method
        self.name = name
        self.arguments = arguments
        self.meta = meta
    }
}
