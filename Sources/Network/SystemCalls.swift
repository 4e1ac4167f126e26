import CShims

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// System calls under names that do not clash with the methods of streams.
enum System {
    static func close(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    static func read(_ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.read(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    static func write(_ descriptor: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        if second.isEmpty { return write(descriptor, first) }
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { parts in
            parts[0] = iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count)
            parts[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
            return writev(descriptor, parts.baseAddress, 2)
        }
    }

    static func shutdownWriting(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// A stream socket that does not block and closes on exec; -1 and `errno` on failure.
    static func socket(family: Int32) -> Int32 {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            return Glibc.socket(family, kind, 0)
        #else
            let descriptor = Darwin.socket(family, SOCK_STREAM, 0)
            if descriptor >= 0 { prepare(descriptor) }
            return descriptor
        #endif
    }

    static func accept(_ listener: Int32) -> (descriptor: Int32, address: SocketAddress) {
        let (descriptor, address) = SocketAddress.filled { pointer, length in
            #if canImport(Glibc)
                shim_accept(listener, pointer, &length)
            #else
                Darwin.accept(listener, pointer, &length)
            #endif
        }
        #if canImport(Darwin)
            if descriptor >= 0 { prepare(descriptor) }
        #endif
        return (descriptor, address)
    }

    static func setOption(_ descriptor: Int32, level: Int32, _ option: Int32, _ value: Int32 = 1) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Small writes leave at once.
    static func setNoDelay(_ descriptor: Int32) { setOption(descriptor, level: Int32(IPPROTO_TCP), TCP_NODELAY) }

    static func pendingError(_ descriptor: Int32) -> Int32 {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
        return error
    }

    static func setNonBlocking(_ descriptor: Int32, _ on: Bool = true) {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
    }

    #if canImport(Darwin)
        private static func prepare(_ descriptor: Int32) {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            setNonBlocking(descriptor)
            setOption(descriptor, level: SOL_SOCKET, SO_NOSIGPIPE)
        }
    #endif
}
