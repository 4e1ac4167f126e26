/// One HTTP exchange that Auth needs: discovery, key sets, tokens. The gateway makes it, under its rules for outgoing requests.
package struct FetchRequest: Sendable {
    /// Who named the address.
    package enum Source: Sendable {
        /// The configuration: whatever host it says.
        case configured
        /// Another server, in metadata or a header: https and public addresses only, unless the configuration allows the host.
        case discovered
    }

    package var method: String
    package var url: String
    package var source: Source
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    /// The longest body that is read.
    package var bytesMax = 256 * 1024
    package var time = Duration.seconds(10)

    /// A GET that wants JSON.
    package init(get url: String, _ source: Source) {
        method = "GET"
        self.url = url
        self.source = source
        fields = [("Accept", "application/json")]
        body = []
    }

    /// A POST that wants JSON.
    package init(post body: [UInt8], as contentType: String, to url: String, _ source: Source) {
        method = "POST"
        self.url = url
        self.source = source
        fields = [("Accept", "application/json"), ("Content-Type", contentType)]
        self.body = body
    }
}

package struct FetchResponse: Sendable {
    package var status: Int
    /// Names in lower case.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, fields: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// Why there is no answer; fit for the log, without a secret.
package struct FetchFailure: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Sends a request and reads the whole answer; redirects are followed within the same host only.
package typealias Fetch = @Sendable (FetchRequest) async throws(FetchFailure) -> FetchResponse
