/* What Swift's Glibc module leaves out: epoll(7) (its event is a packed struct with a union), eventfd(2), the GNU name of a thread, mremap(2)
   (variadic), memfd_create(2), and of tcp(7) what glibc's own tcp_info ends before. */
#ifndef FRAMESTREAMING_CLINUX_H
#define FRAMESTREAMING_CLINUX_H
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/mman.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int fs_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int fs_eventfd_signal(int fd) { return eventfd_write(fd, 1); }
static inline int fs_eventfd_clear(int fd) { eventfd_t value; return eventfd_read(fd, &value); }

static inline int fs_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }
/* Watches `fd` for input, and for room to write where `output` is not 0; `is_new`: not watched so far. */
static inline int fs_epoll_watch(int epoll, int fd, uint64_t tag, int output, int is_new) {
    struct epoll_event event = {EPOLLIN | (output ? EPOLLOUT : 0), {.u64 = tag}};
    return epoll_ctl(epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}
static inline int fs_epoll_forget(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, 0); }
/* The tags of those that are ready, at most `count` (and 64) of them. Returns how many, or -1. */
static inline int fs_epoll_wait(int epoll, uint64_t *tags, int count, int timeout) {
    struct epoll_event events[64];
    int ready = epoll_wait(epoll, events, count < 64 ? count : 64, timeout);
    for (int i = 0; i < ready; i++) tags[i] = events[i].data.u64;
    return ready;
}

/* Names the calling thread; the kernel keeps the first 15 bytes (prctl(2), PR_SET_NAME). */
static inline int fs_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
/* Moves the mapping at `from` to `to`, in place of what is mapped there, in one step. Returns 0 or -1. */
static inline int fs_replace_mapping(void *to, void *from, unsigned long length) {
    return syscall(SYS_mremap, from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to) == -1 ? -1 : 0;
}
static inline int fs_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* CLOEXEC */); }
/* Bytes that the peer's kernel has confirmed: tcpi_bytes_acked of linux/tcp.h, the eight bytes at 120 since Linux 4.1. -1 where that is
   not known. */
static inline long long fs_tcp_count(int fd, unsigned offset) {
    unsigned char info[136];
    socklen_t length = sizeof info;
    unsigned long long count;
    if (getsockopt(fd, IPPROTO_TCP, 11 /* TCP_INFO */, info, &length) != 0 || length < offset + sizeof count) return -1;
    memcpy(&count, info + offset, sizeof count);
    return (long long)count;
}
static inline long long fs_tcp_delivered_bytes(int fd) { return fs_tcp_count(fd, 120); }
/* Bytes that have come from the peer: tcpi_bytes_received, behind that. */
static inline long long fs_tcp_received_bytes(int fd) { return fs_tcp_count(fd, 128); }
#endif
