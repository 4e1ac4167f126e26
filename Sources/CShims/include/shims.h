#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The event loop of the calling thread, or NULL.
void *shim_current_loop(void);
void shim_set_current_loop(void *loop);
// Names the calling thread for debuggers; cut to 15 bytes on Linux.
void shim_name_thread(const char *name);

#ifdef __linux__
// Readiness, as bits of `interest` and `ready`.
enum { SHIM_READABLE = 1, SHIM_WRITABLE = 2, SHIM_HUNG_UP = 4, SHIM_LEVEL = 8 };
typedef struct {
    uint64_t token;
    uint32_t ready;
} shim_event;

// All return what the system call returns: -1 and errno on failure.
int shim_epoll_create(void);
int shim_epoll_add(int poller, int descriptor, uint64_t token, uint32_t interest);
int shim_epoll_remove(int poller, int descriptor);
int shim_epoll_wait(int poller, shim_event *events, int capacity, int milliseconds);
int shim_eventfd(void);
int shim_pidfd_open(pid_t pid);
int shim_accept(int listener, void *address, uint32_t *length);
int shim_become_subreaper(void);
#endif

// A pipe whose two ends close on exec.
int shim_pipe(int ends[2]);

// Starts a program in its own session and process group with these three descriptors and no others, default signal
// dispositions and an empty mask. Returns 0 or an error number.
int shim_spawn(const char *path, char *const arguments[], char *const environment[], const char *directory, int input,
               int output, int log, pid_t *pid);

// Ignores SIGPIPE for the process.
void shim_ignore_sigpipe(void);
// Writes the number of `signal` as one byte to `descriptor` whenever it arrives. One descriptor for the process.
int shim_forward_signal(int signal, int descriptor);

#if defined(__GLIBC__)
#include <malloc.h>
#endif

/* Keeps freed memory up to these bounds instead of giving it back at once. */
static inline void shim_keep_freed_memory(int block_bytes, int total_bytes) {
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, block_bytes);
    mallopt(M_TRIM_THRESHOLD, total_bytes);
#else
    (void)block_bytes;
    (void)total_bytes;
#endif
}
