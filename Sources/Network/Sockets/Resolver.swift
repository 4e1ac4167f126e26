import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Host names to addresses: literals at once, names through the system's resolver, remembered for 30 seconds.
package enum Resolver {
    private struct Entry {
        var addresses: [SocketAddress]
        var expiry: ContinuousClock.Instant
    }

    private struct State {
        var cache: [String: Entry] = [:]
        var running = 0
    }

    private static let cachedNamesMax = 256
    private static let runningMax = 32
    private static let state = Mutex(State())
    private static let queue = DispatchQueue(label: "resolver", attributes: .concurrent)

    /// All addresses of a host in the system's order of preference; throws `.resolve`, or `.overloaded` when too many look-ups hang.
    package static func resolve(host: String, port: UInt16) async throws(NetworkError) -> [SocketAddress] {
        if let literal = SocketAddress(literal: host, port: port) { return [literal] }
        let name = host.lowercased()
        enum Plan { case known([SocketAddress]), ask, refuse }
        let plan = state.withLock { state -> Plan in
            if let entry = state.cache[name], entry.expiry > .now { return .known(entry.addresses) }
            guard state.running < runningMax else { return .refuse }
            state.running += 1
            return .ask
        }
        switch plan {
        case .known(let addresses): return addresses.map { $0.with(port: port) }
        case .refuse: throw NetworkError(.overloaded, "too many name look-ups are under way; \(host) was not looked up")
        case .ask: break
        }
        let outcome = await withUnsafeContinuation { continuation in
            queue.async { continuation.resume(returning: lookUp(name)) }
        }
        state.withLock { state in
            state.running -= 1
            guard case .success(let addresses) = outcome else { return }
            if state.cache.count >= cachedNamesMax {
                let now = ContinuousClock.now
                state.cache = state.cache.filter { $0.value.expiry > now }
                if state.cache.count >= cachedNamesMax { state.cache = [:] }
            }
            state.cache[name] = Entry(addresses: addresses, expiry: .now + .seconds(30))
        }
        return try outcome.get().map { $0.with(port: port) }
    }

    /// Blocks; for start-up and the queue above.
    static func lookUp(_ host: String) -> Result<[SocketAddress], NetworkError> {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        hints.ai_family = AF_UNSPEC
        var list: UnsafeMutablePointer<addrinfo>?
        let error = getaddrinfo(host, nil, &hints, &list)
        guard error == 0 else {
            return .failure(NetworkError(.resolve, "the name “\(host)” has no address: \(String(cString: gai_strerror(error)))"))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let raw = entry.ai_addr, let address = SocketAddress(raw, length: entry.ai_addrlen), !addresses.contains(address) {
                addresses.append(address)
            }
            next = entry.ai_next
        }
        guard !addresses.isEmpty else { return .failure(NetworkError(.resolve, "the name “\(host)” has no address")) }
        return .success(addresses)
    }
}
