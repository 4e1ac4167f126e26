import Dispatch

/// Files, databases and slow arithmetic, away from the threads that serve calls.
enum OffLoop {
    private static let queue = DispatchQueue(label: "credentials", attributes: .concurrent)

    /// Does the work on another thread and comes back to the caller's.
    static func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let outcome: Result<Value, Failure> = await withUnsafeContinuation { continuation in
            queue.async {
                do throws(Failure) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try outcome.get()
    }
}
