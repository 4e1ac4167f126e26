/// What the server grants a client.
package struct HTTPLimits: Sendable, Equatable {
    /// The request line and fields, together; at most 65,535.
    package var headerBytesMax = 16 * 1024
    /// From the first byte of a request to the end of its fields.
    package var headerTimeout = Duration.seconds(10)
    /// The body, decoded.
    package var bodyBytesMax = 4 * 1024 * 1024
    /// From the end of the fields to the end of the body.
    package var bodyTimeout = Duration.seconds(30)
    /// How long a connection may wait for its next request.
    package var idleTimeout = Duration.seconds(75)
    /// How long a reader may take nothing of what is queued for it.
    package var writeTimeout = Duration.seconds(60)
    /// Connections of the whole server.
    package var connectionsMax = 10_000
    /// What may be queued for a slow reader before its writer waits.
    package var queuedBytesMax = 1024 * 1024

    /// The limits that hold unless an operator says otherwise.
    package init() {}
}

/// What the client grants an upstream.
package struct HTTPClientLimits: Sendable, Equatable {
    /// The status line and fields, together; at most 65,535.
    package var headerBytesMax = 64 * 1024 - 1
    /// The body of a reply that is read whole.
    package var replyBytesMax = 32 * 1024 * 1024
    /// From the first try to a connection that can be used.
    package var connectTimeout = Duration.seconds(10)
    /// How long a pooled connection is kept unused.
    package var idleTimeout = Duration.seconds(30)
    /// Pooled connections to one origin.
    package var idlePerOriginMax = 64
    /// Connections to one origin, pooled and in use.
    package var connectionsPerOriginMax = 1024
    /// One event of an event stream.
    package var eventBytesMax = 32 * 1024 * 1024

    /// The limits that hold unless an operator says otherwise.
    package init() {}
}
