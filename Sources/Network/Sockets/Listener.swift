import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A bound port: on Linux every loop has a listening socket of its own for it (SO_REUSEPORT), elsewhere the first loop
/// accepts and deals connections out in turn.
package final class Listener: Sendable {
    /// The address in fact bound; its port is the same for all loops.
    package let address: SocketAddress
    private let acceptors: [Acceptor]

    package var port: UInt16 { address.port }

    private init(address: SocketAddress, acceptors: [Acceptor]) {
        self.address = address
        self.acceptors = acceptors
    }

    /// Listens; each connection is handed to `accept` on the loop that it belongs to. Port 0 takes a free one.
    ///
    /// Throws `.resolve` for an unknown host, `.io` when the port is taken or not allowed. How many connections are open is the
    /// caller's to limit, by closing at once and counting with `Connection.onClosed`.
    package static func bind(
        host: String, port: UInt16, loops: [EventLoop], tls: TLSServerContext? = nil, accept: @escaping @Sendable (Connection, EventLoop) -> Void
    ) throws(NetworkError) -> Listener {
        var address = try resolve(host, port)
        #if canImport(Glibc)
            // A port shared by us must not be shared with another process that happens to listen there.
            if port != 0 { System.close(try open(address, shared: false)) }
            let owners = loops
        #else
            let owners = Array(loops.prefix(1))
        #endif
        var sockets: [Int32] = []
        do throws(NetworkError) {
            for _ in owners {
                let descriptor = try open(address, shared: owners.count > 1)
                sockets.append(descriptor)
                address = SocketAddress.local(of: descriptor)
            }
        } catch {
            sockets.forEach(System.close)
            throw error
        }
        let acceptors = zip(sockets, owners).map { descriptor, loop in
            Acceptor(descriptor: descriptor, loop: loop, targets: owners.count == loops.count ? [loop] : loops, tls: tls, accept: accept)
        }
        for acceptor in acceptors { acceptor.start() }
        return Listener(address: address, acceptors: acceptors)
    }

    /// Accepts no more; open connections go on. Any thread.
    package func stop() {
        for acceptor in acceptors { acceptor.stop() }
    }

    private static func resolve(_ host: String, _ port: UInt16) throws(NetworkError) -> SocketAddress {
        if let literal = SocketAddress(literal: host, port: port) { return literal }
        return try Resolver.lookUp(host).get()[0].with(port: port)
    }

    private static func open(_ address: SocketAddress, shared: Bool) throws(NetworkError) -> Int32 {
        let descriptor = System.socket(family: address.family)
        guard descriptor >= 0 else { throw .io("socket") }
        System.setOption(descriptor, level: SOL_SOCKET, SO_REUSEADDR)
        if shared { System.setOption(descriptor, level: SOL_SOCKET, SO_REUSEPORT) }
        guard address.withPointer({ bindSocket(descriptor, $0, $1) }) == 0, listen(descriptor, 1024) == 0 else {
            let error = NetworkError.io("cannot listen on \(address)")
            System.close(descriptor)
            throw error
        }
        return descriptor
    }
}

private func bindSocket(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 { bind(descriptor, address, length) }
