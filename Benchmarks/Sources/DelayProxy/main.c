// A longer cable: takes TCP connections, makes each one on to another address, and hands every byte over DELAY later than it
// came, in both directions. With a rate it is a thinner cable too.
//
// usage: DelayProxy LISTEN-ADDRESS TO-ADDRESS TO-PORT DELAY-MICROSECONDS BITS-PER-SECOND BUFFER-BYTES
// Prints {"port":N}. A line on standard input is a new rate in bits per second. Ends with standard input. Rate 0: none.
//
// It must not be a queue that the streams under test do not know of: each direction holds at most BUFFER-BYTES, which the caller
// makes what a link of that rate has under way in that time. When they are full it reads nothing, and TCP makes the
// sender wait as on a real link. The kernel's own buffers on its two sockets are kept small where it limits the rate (32 KiB each).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/// Small, so that what is due leaves in small steps, as packets do.
enum { CHUNK = 8192, SOCKET_BUFFER = 32 << 10 };

/// In bits per second; shared with the processes of the connections, so that it can be changed.
static _Atomic long *rate;
static long delay;
static size_t room;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

struct chunk {
    int64_t due;
    size_t size, done;
    char bytes[CHUNK];
};

/// One direction: a ring of chunks, each with the time when it leaves.
struct line {
    int from, to;
    struct chunk *ring;
    size_t capacity, first, count, held;
    /// When the rate lets the next bytes in.
    int64_t next_read;
    int ended, closed;
};

static void prepare(struct line *line, int from, int to) {
    memset(line, 0, sizeof *line);
    line->from = from;
    line->to = to;
    // Chunks may be smaller than they could be; the bytes are counted too.
    line->capacity = 4 * (room / CHUNK + 1);
    line->ring = malloc(line->capacity * sizeof *line->ring);
    if (!line->ring) die("malloc");
}

static int has_room(const struct line *line) {
    return !line->ended && line->count < line->capacity && line->held < room;
}

/// Takes what has come; 0 where the connection broke.
static int take(struct line *line, int64_t time) {
    struct chunk *chunk = &line->ring[(line->first + line->count) % line->capacity];
    size_t wanted = room - line->held < CHUNK ? room - line->held : CHUNK;
    ssize_t got = recv(line->from, chunk->bytes, wanted, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
        line->ended = 1;
        return 1;
    }
    int64_t leaves = time;
    long bits = atomic_load(rate);
    if (bits > 0) {
        // The bytes are through the thin cable when the last of them is.
        int64_t start = line->next_read > time ? line->next_read : time;
        leaves = start + got * INT64_C(8000000000) / bits;
        line->next_read = leaves;
    }
    chunk->due = leaves + delay;
    chunk->size = got;
    chunk->done = 0;
    line->count++;
    line->held += got;
    return 1;
}

/// Hands on what is due; 0 where the connection broke.
static int give(struct line *line, int64_t time) {
    while (line->count && line->ring[line->first].due <= time) {
        struct chunk *chunk = &line->ring[line->first];
        ssize_t sent = send(line->to, chunk->bytes + chunk->done, chunk->size - chunk->done, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN || errno == EINTR;
        chunk->done += sent;
        line->held -= sent;
        if (chunk->done < chunk->size) return 1;
        line->first = (line->first + 1) % line->capacity;
        line->count--;
    }
    if (line->ended && !line->count && !line->closed) {
        shutdown(line->to, SHUT_WR);
        line->closed = 1;
    }
    return 1;
}

static void run(int near, int far) {
    struct line lines[2];
    prepare(&lines[0], near, far);
    prepare(&lines[1], far, near);
    while (!lines[0].closed || !lines[1].closed) {
        struct pollfd polls[2] = {{.fd = near}, {.fd = far}};
        int64_t time = now(), wake = INT64_MAX;
        for (int i = 0; i < 2; i++) {
            struct line *line = &lines[i];
            if (has_room(line)) {
                if (line->next_read <= time) polls[i].events |= POLLIN;
                else if (line->next_read < wake) wake = line->next_read;
            }
            if (line->count) {
                int64_t due = line->ring[line->first].due;
                if (due <= time) polls[1 - i].events |= POLLOUT;
                else if (due < wake) wake = due;
            }
        }
        for (int i = 0; i < 2; i++)
            if (!polls[i].events) polls[i].fd = -1;
        int64_t wait = wake - time;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        if (ppoll(polls, 2, wake == INT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR) die("ppoll");
        time = now();
        for (int i = 0; i < 2; i++) {
            struct line *line = &lines[i];
            if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) && has_room(line) && line->next_read <= time)
                if (!take(line, time)) exit(0);
            if (!give(line, time)) exit(0);
        }
    }
    exit(0);
}

static void set_up(int file) {
    int on = 1;
    if (setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)) die("TCP_NODELAY");
    if (fcntl(file, F_SETFL, O_NONBLOCK)) die("O_NONBLOCK");
}

static void keep_small(int file) {
    int size = SOCKET_BUFFER;
    if (setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, sizeof size)) die("SO_RCVBUF");
    if (setsockopt(file, SOL_SOCKET, SO_SNDBUF, &size, sizeof size)) die("SO_SNDBUF");
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: DelayProxy LISTEN-ADDRESS TO-ADDRESS TO-PORT DELAY-US BITS-PER-SECOND BUFFER-BYTES\n");
        return 1;
    }
    struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, arguments[1], &here.sin_addr) != 1 || inet_pton(AF_INET, arguments[2], &there.sin_addr) != 1)
        die("an address");
    there.sin_port = htons(atoi(arguments[3]));
    delay = atol(arguments[4]) * 1000;
    rate = mmap(NULL, sizeof *rate, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (rate == MAP_FAILED) die("mmap");
    atomic_store(rate, atol(arguments[5]));
    room = strtoul(arguments[6], NULL, 10);
    int limits = atol(arguments[5]) > 0;
    if (room < CHUNK) room = CHUNK;
    signal(SIGCHLD, SIG_IGN);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (limits) keep_small(listener);
    socklen_t length = sizeof here;
    if (bind(listener, (struct sockaddr *)&here, length) || listen(listener, 64)) die("listen");
    getsockname(listener, (struct sockaddr *)&here, &length);
    printf("{\"port\":%d}\n", ntohs(here.sin_port));
    fflush(stdout);

    while (1) {
        struct pollfd polls[2] = {{listener, POLLIN, 0}, {0, POLLIN, 0}};
        if (poll(polls, 2, -1) < 0 && errno != EINTR) die("poll");
        if (polls[1].revents) {
            char line[64];
            ssize_t got = read(0, line, sizeof line - 1);
            if (got <= 0) return 0;
            line[got] = 0;
            atomic_store(rate, atol(line));
        }
        if (!(polls[0].revents & POLLIN)) continue;
        int near = accept(listener, NULL, NULL);
        if (near < 0) continue;
        if (fork() == 0) {
            // Gone when the proxy is.
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(listener);
            int far = socket(AF_INET, SOCK_STREAM, 0);
            if (limits) keep_small(far);
            if (connect(far, (struct sockaddr *)&there, sizeof there)) exit(0);
            set_up(near);
            set_up(far);
            run(near, far);
        }
        close(near);
    }
}
