#define _GNU_SOURCE
#include "shims.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static __thread void *current_loop;
void *shim_current_loop(void) { return current_loop; }
void shim_set_current_loop(void *loop) { current_loop = loop; }

void shim_name_thread(const char *name) {
#ifdef __linux__
    char cut[16] = {0};
    strncpy(cut, name, sizeof cut - 1);
    pthread_setname_np(pthread_self(), cut);
#else
    pthread_setname_np(name);
#endif
}

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int shim_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int shim_epoll_add(int poller, int descriptor, uint64_t token, uint32_t interest) {
    struct epoll_event event = {0};
    event.data.u64 = token;
    if (interest & SHIM_READABLE) event.events |= EPOLLIN | EPOLLRDHUP;
    if (interest & SHIM_WRITABLE) event.events |= EPOLLOUT;
    if (!(interest & SHIM_LEVEL)) event.events |= EPOLLET;
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

int shim_epoll_remove(int poller, int descriptor) { return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL); }

int shim_epoll_wait(int poller, shim_event *events, int capacity, int milliseconds) {
    struct epoll_event buffer[128];
    if (capacity > 128) capacity = 128;
    int count = epoll_wait(poller, buffer, capacity, milliseconds);
    for (int i = 0; i < count; i++) {
        uint32_t bits = buffer[i].events, ready = 0;
        if (bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ready |= SHIM_READABLE;
        if (bits & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ready |= SHIM_WRITABLE;
        if (bits & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ready |= SHIM_HUNG_UP;
        events[i].token = buffer[i].data.u64;
        events[i].ready = ready;
    }
    return count;
}

int shim_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
int shim_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
int shim_accept(int listener, void *address, uint32_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
int shim_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
int shim_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
#else
int shim_pipe(int ends[2]) {
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}
#endif

int shim_spawn(const char *path, char *const arguments[], char *const environment[], const char *directory, int input,
               int output, int log, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    int reset[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof reset / sizeof *reset; i++) sigaddset(&defaults, reset[i]);
    short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef __APPLE__
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &defaults);
    if (!error) error = posix_spawnattr_setflags(&attributes, flags);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, log, 2);
#ifndef __APPLE__
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
    if (!error && directory && *directory) error = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (!error) error = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

void shim_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

static atomic_int signal_descriptor = -1;
static void forward(int signal) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal;
    int descriptor = atomic_load(&signal_descriptor);
    if (descriptor >= 0) {
        ssize_t ignored = write(descriptor, &byte, 1);
        (void)ignored;
    }
    errno = saved;
}
int shim_forward_signal(int signal, int descriptor) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = forward;
    action.sa_flags = SA_RESTART;
    atomic_store(&signal_descriptor, descriptor);
    return sigaction(signal, &action, NULL);
}
