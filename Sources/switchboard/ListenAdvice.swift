import Network

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What to do when an address can't be listened on.
enum ListenAdvice {
    /// To be appended to the error; empty for others.
    static func text(for error: any Error) -> String {
        switch (error as? NetworkError)?.kind {
        case .io(EADDRINUSE): "; end the program that listens there, or choose another port, e.g. `--listen 127.0.0.1:8081`"
        case .io(EACCES): "; ports below 1024 are not for every user; choose another, e.g. `--listen 127.0.0.1:8081`"
        default: ""
        }
    }
}
