/* What Swift's Glibc module leaves out: eventfd(2) and the GNU name of a thread. */
#ifndef FRAMESTREAMING_CLINUX_H
#define FRAMESTREAMING_CLINUX_H
#include <sys/eventfd.h>
#include <sys/prctl.h>

static inline int fs_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int fs_eventfd_signal(int fd) { return eventfd_write(fd, 1); }
/* Names the calling thread; the kernel keeps the first 15 bytes (prctl(2), PR_SET_NAME). */
static inline int fs_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
#endif
