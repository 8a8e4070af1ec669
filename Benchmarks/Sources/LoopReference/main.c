// A plain loop over TCP: one process sends, one receives and answers each payload with 32 bytes. Blocking sockets,
// TCP_NODELAY, one thread on each side, nothing is checked or counted.
//
// usage: LoopReference FRAMES PAYLOAD-BYTES WINDOW
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 96, ACK = 32 };

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void read_all(int file, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t got = recv(file, (char *)bytes + done, count - done, 0);
        if (got <= 0) die("recv");
        done += got;
    }
}

static void no_delay(int file) {
    int on = 1;
    if (setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)) die("setsockopt");
}

static void receive(int listener, long frames) {
    int file = accept(listener, NULL, NULL);
    if (file < 0) die("accept");
    no_delay(file);
    char ack[ACK] = {0};
    uint32_t header[HEADER / 4];
    char *payload = NULL;
    for (long i = 0; i < frames; i++) {
        read_all(file, header, HEADER);
        if (!payload) payload = malloc(header[0]);
        read_all(file, payload, header[0]);
        if (send(file, ack, ACK, MSG_NOSIGNAL) != ACK) die("send");
    }
    exit(0);
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: LoopReference FRAMES PAYLOAD-BYTES WINDOW\n");
        return 1;
    }
    long frames = atol(arguments[1]), window = atol(arguments[3]);
    uint32_t size = (uint32_t)atol(arguments[2]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    pid_t receiver = fork();
    if (receiver == 0) receive(listener, frames);
    int file = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(file, (struct sockaddr *)&address, length)) die("connect");
    no_delay(file);
    char *payload = malloc(size);
    memset(payload, 7, size);
    char ack[ACK];
    uint32_t header[HEADER / 4] = {size};
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long sent = 0, acknowledged = 0; acknowledged < frames;) {
        if (sent < frames && sent - acknowledged < window) {
            struct iovec parts[2] = {{header, HEADER}, {payload, size}};
            struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
            // A blocking socket takes it whole.
            if (sendmsg(file, &message, MSG_NOSIGNAL) != HEADER + size) die("sendmsg");
            sent++;
        } else {
            read_all(file, ack, ACK);
            acknowledged++;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    int status;
    if (waitpid(receiver, &status, 0) < 0 || status) return 1;
    double seconds = (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9;
    printf("{\"fps\":%.1f}\n", frames / seconds);
    return 0;
}
