import Network

/// Many clients on one loop, each with its own connection, one call after the other.
final class HTTPLoad {
    private static let firstID = 10_000_000

    private let options: Options
    private let target: Target
    private let loop: EventLoop
    private var tally = Tally()
    private var nextID = HTTPLoad.firstID
    private var left: Int
    private var deadline: UInt64 = 0

    init(_ options: Options, _ target: Target, on loop: EventLoop) {
        self.options = options
        self.target = target
        self.loop = loop
        left = options.count ?? Int.max
    }

    /// Opens the connections, then lets all of them work; returns the summary.
    func run() async -> String {
        var clients: [Client] = []
        do throws(NetworkError) {
            for _ in 0..<options.clients { clients.append(try await Client.open(options, target, on: loop)) }
        } catch {
            tally.record(error: "\(error)")
            return tally.summary()
        }
        tally.begin()
        deadline = options.count == nil ? Tally.now() + UInt64(options.seconds * 1e9) : .max
        let tasks = clients.map { client in loop.spawn(with: (self, client)) { load, client in await load.work(client) } }
        for task in tasks { await task.value }
        tally.finish()
        return tally.summary()
    }

    private func work(_ client: Client) async {
        var start = Tally.now()
        while start < deadline, left > 0 {
            left -= 1
            let id = nextID
            nextID = nextID == 99_999_999 ? Self.firstID : nextID + 1
            do throws(NetworkError) {
                let problem = try await client.call(id)
                let end = Tally.now()
                if let problem { tally.record(error: problem) } else { tally.record(end - start) }
                start = end
            } catch {
                // This client is out; the others go on, and the error is in the summary.
                return tally.record(error: "\(error)")
            }
        }
    }
}

/// One connection, and where the era has them, one session.
final class Client {
    let connection: Connection
    let session: String?
    private let reader: ReplyReader
    private var request: Request

    private init(_ connection: Connection, _ reader: ReplyReader, session: String?, _ request: Request) {
        self.connection = connection
        self.reader = reader
        self.session = session
        self.request = request
    }

    static func open(_ options: Options, _ target: Target, on loop: EventLoop) async throws(NetworkError) -> Client {
        let connection = try await Connection.connect(host: target.host, port: target.port, within: .seconds(10), on: loop)
        let reader = ReplyReader(connection)
        var session: String?
        if options.era == .legacy {
            var opening = Request.httpInitialize(to: target)
            opening.setID(10_000_000)
            reader.wantsSession = true
            connection.write(opening.bytes)
            let reply = try await reader.next()
            guard reply.status == 200 else { throw NetworkError(.protocolViolation, "initialize: status \(reply.status)") }
            session = reply.session
            connection.input.consume(reply.body.upperBound)
            connection.write(Request.httpInitialized(to: target, session: session).bytes)
            connection.input.consume(try await reader.next().body.upperBound)
            reader.wantsSession = false
        }
        let request = Request.http(options.work, tool: options.tool, options.era, to: target, session: session)
        return Client(connection, reader, session: session, request)
    }

    /// One call; what is wrong with the answer, or nil.
    func call(_ id: Int) async throws(NetworkError) -> String? {
        request.setID(id)
        connection.write(request.bytes)
        let reply = try await reader.next()
        let isRight = connection.input.withUnsafeBytes { bytes in
            Answer.isResult(UnsafeRawBufferPointer(rebasing: bytes[reply.body]), id: id)
        }
        defer { connection.input.consume(reply.body.upperBound) }
        guard reply.status != 200 || !isRight else { return nil }
        return connection.input.withUnsafeBytes { bytes in
            "status \(reply.status): " + String(decoding: bytes[reply.body].prefix(200), as: UTF8.self)
        }
    }

    /// Opens the stream of the session; where the server has none, the connection stays open unused.
    func openStream(to target: Target) async throws(NetworkError) {
        reader.isGet = true
        connection.write(Request.httpStream(to: target, session: session).bytes)
        connection.input.consume(try await reader.next().body.upperBound)
    }
}
