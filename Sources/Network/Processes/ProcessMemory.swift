import CShims

/// How this process deals with memory that it has freed.
package enum ProcessMemory {
    /// Keeps a few MiB for the next messages: giving 64 KB back and faulting it in again costs more than all else of a call.
    package static func keepFreed() { shim_keep_freed_memory(1 << 20, 4 << 20) }
}
