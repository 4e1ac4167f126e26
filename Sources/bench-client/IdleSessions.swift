import Network

/// Opens legacy sessions and lets them be, so that their memory can be measured.
enum IdleSessions {
    /// Prints a line when all are open.
    static func open(_ options: Options, _ target: Target, on loop: EventLoop) async -> [Client] {
        var options = options
        options.era = .legacy
        var clients: [Client] = []
        do throws(NetworkError) {
            for _ in 0..<options.sessions {
                let client = try await Client.open(options, target, on: loop)
                try await client.openStream(to: target)
                clients.append(client)
            }
            print("{\"sessions\":\(clients.count),\"errors\":0}")
        } catch {
            print("{\"sessions\":\(clients.count),\"errors\":1,\"first_error\":\"\(error)\"}")
        }
        return clients
    }
}
