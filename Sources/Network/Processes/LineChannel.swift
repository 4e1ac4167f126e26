import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Newline-delimited messages over two descriptors: our own standard input and output, or any pipe. The descriptors stay the caller's.
///
/// Pipes and sockets are read on the loop; terminals and files, which can't be or must not be made non-blocking, on a queue.
package final class LineChannel: @unchecked Sendable {
    private let input: Int32
    private let output: Int32
    private let loop: EventLoop
    private let writer: LineWriter
    private let onLine: @Sendable ([UInt8]) -> Void
    private let onOverlongLine: @Sendable () -> Void
    private let onEnd: @Sendable () -> Void
    private let isInputPollable: Bool
    private let isOutputPollable: Bool

    // On the loop only.
    private var splitter: LineSplitter
    private var reader: PipeReader?
    private var isReading = true
    private var isClosed = false

    /// Starts reading at once. All callbacks are on the loop; `onEnd` comes once, after the last line.
    package init(
        input: Int32, output: Int32, loop: EventLoop, lineBytesMax: Int, queuedBytesMax: Int, onLine: @escaping @Sendable ([UInt8]) -> Void,
        onOverlongLine: @escaping @Sendable () -> Void = {}, onEnd: @escaping @Sendable () -> Void
    ) {
        self.input = input
        self.output = output
        self.loop = loop
        self.onLine = onLine
        self.onOverlongLine = onOverlongLine
        self.onEnd = onEnd
        isInputPollable = Self.isPollable(input)
        isOutputPollable = Self.isPollable(output) && input != output
        writer = LineWriter(descriptor: output, loop: loop, ownsDescriptor: false, queuedBytesMax: queuedBytesMax)
        splitter = LineSplitter(lineBytesMax: lineBytesMax)
        if isOutputPollable { System.setNonBlocking(output) }
        loop.execute { [self] in start() }
    }

    /// Appends a newline; false when too much is queued or the channel is closed. Any thread.
    package func send(line: [UInt8]) -> Bool { writer.send(line: line) }

    /// Waits until all that was sent is written; false when it was not in time.
    @discardableResult
    package func drained(within limit: Duration) async -> Bool { await writer.drained(within: limit) }

    /// Reads and writes no more, and does not call back. Any thread.
    package func close() {
        loop.execute { [self] in
            guard !isClosed else { return }
            isClosed = true
            if isReading { endReading() }
            writer.end()
            if isOutputPollable { System.setNonBlocking(output, false) }
        }
    }

    private func start() {
        guard !isClosed else { return }
        if isOutputPollable { writer.start() }
        guard isInputPollable else { return readOnQueue() }
        System.setNonBlocking(input)
        let reader = PipeReader(
            descriptor: input, loop: loop, onBytes: { [self] in feed($0) }, onEnd: { [self] in inputEnds() })
        self.reader = reader
        if reader.start() != 0 { inputEnds() }
    }

    private func feed(_ bytes: UnsafeRawBufferPointer) {
        guard isReading else { return }
        splitter.feed(bytes, deliver)
    }

    private func deliver(_ item: LineSplitter.Item) {
        switch item {
        case .line(let line): onLine(line)
        case .overlong: onOverlongLine()
        }
    }

    /// The last line has come; replies may still be sent.
    private func inputEnds() {
        guard isReading else { return }
        splitter.finish(deliver)
        endReading()
        onEnd()
    }

    private func endReading() {
        isReading = false
        reader?.stop()
        reader = nil
        if isInputPollable { System.setNonBlocking(input, false) }
    }

    private func readOnQueue() {
        DispatchQueue(label: "line-channel").async { [self] in
            let taken = DispatchSemaphore(value: 0)
            var chunk = [UInt8](repeating: 0, count: 16384)
            while true {
                let count = chunk.withUnsafeMutableBytes { System.read(input, $0) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                let bytes = Array(chunk[0..<count])
                loop.execute { [self] in
                    bytes.withUnsafeBytes(feed)
                    taken.signal()
                }
                // A stopped loop never answers; this thread then ends with the process.
                taken.wait()
            }
            loop.execute { [self] in inputEnds() }
        }
    }

    private static func isPollable(_ descriptor: Int32) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        let kind = status.st_mode & S_IFMT
        return kind == S_IFIFO || kind == S_IFSOCK
    }
}
