import Diagnostics
import Dispatch
import MCPProtocol
import Network
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The command line.
@main
struct Program {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            exit(try run(words))
        } catch {
            printError("\(error.message)")
            if let hint = error.hint { printError(hint) }
            exit(2)
        }
    }

    private static func run(_ words: [String]) throws(UsageError) -> Int32 {
        guard let first = words.first else {
            printError(Help.overview)
            return 2
        }
        switch first {
        case "--help", "-h", "help":
            guard words.count > 1 else {
                print(Help.overview)
                return 0
            }
            print((try Command.named(words[1])).help)
            return 0
        case "--version", "version":
            print("\(Product.name) \(Product.version)")
            return 0
        default:
            let command = try Command.named(first)
            let rest = Array(words.dropFirst())
            if rest.contains("--help") || rest.contains("-h") {
                print(command.help)
                return 0
            }
            return try command.run(rest)
        }
    }
}

/// The command line is wrong: exit status 2.
struct UsageError: Error {
    let message: String
    let hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}

func printError(_ text: String) { FileHandleWriter.standardError(text + "\n") }

/// Whole texts to a descriptor, whatever the pipe takes at a time.
enum FileHandleWriter {
    static func standardError(_ text: String) { write(text, to: 2) }
    static func standardOutput(_ text: String) { write(text, to: 1) }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count, let start = bytes.baseAddress {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, start + done, bytes.count - done)
                #else
                    let count = Darwin.write(descriptor, start + done, bytes.count - done)
                #endif
                guard count > 0 else { return }
                done += count
            }
        }
    }
}

/// Runs async work on the loops and waits for its outcome.
func onLoops(count: Int, _ work: @escaping @Sendable (LoopGroup) async -> Int32) -> Int32 {
    ProcessMemory.keepFreed()
    Signals.ignoreBrokenPipes()
    ProcessTree.adoptOrphans()
    let loops = LoopGroup(count: count, name: "loop")
    let done = DispatchSemaphore(value: 0)
    let status = Mutex<Int32>(1)
    loops.loops[0].task {
        let result = await work(loops)
        status.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    ProcessTree.killAll()
    return status.withLock { $0 }
}
