// One payload to many receivers in the plainest C: a rate, a window, and an answer of 32 bytes for each payload and receiver.
// One thread in the sender: at each tick it sends to every connection that has credit, and reads answers until the next one.
//
// usage: FanOutReference RECEIVERS PAYLOAD-BYTES WINDOW FRAMES-PER-SECOND SECONDS
// Prints the sender's CPU time and the payloads sent. The receivers are threads of another process.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int read_all(int file, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t got = recv(file, (char *)bytes + done, count - done, 0);
        if (got <= 0) return 0;
        done += got;
    }
    return 1;
}

static void no_delay(int file) {
    int on = 1;
    if (setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)) die("setsockopt");
}

static void *receive(void *argument) {
    int file = (int)(intptr_t)argument;
    char ack[ACK] = {0};
    uint32_t header[HEADER / 4];
    char *payload = NULL;
    while (read_all(file, header, HEADER)) {
        if (!payload) payload = malloc(header[0]);
        if (!read_all(file, payload, header[0])) break;
        if (send(file, ack, ACK, MSG_NOSIGNAL) != ACK) break;
    }
    free(payload);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: FanOutReference RECEIVERS PAYLOAD-BYTES WINDOW FRAMES-PER-SECOND SECONDS\n");
        return 1;
    }
    int receivers = atoi(arguments[1]), window = atoi(arguments[3]);
    uint32_t size = (uint32_t)atol(arguments[2]);
    double rate = atof(arguments[4]);
    int64_t length_of_run = atof(arguments[5]) * 1e9;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, receivers)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    pid_t child = fork();
    if (child == 0) {
        pthread_t *threads = calloc(receivers, sizeof *threads);
        for (int i = 0; i < receivers; i++) {
            int file = accept(listener, NULL, NULL);
            if (file < 0) die("accept");
            no_delay(file);
            if (pthread_create(&threads[i], NULL, receive, (void *)(intptr_t)file)) die("pthread_create");
        }
        for (int i = 0; i < receivers; i++) pthread_join(threads[i], NULL);
        exit(0);
    }
    struct pollfd *polls = calloc(receivers, sizeof *polls);
    int *under_way = calloc(receivers, sizeof *under_way);
    for (int i = 0; i < receivers; i++) {
        int file = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(file, (struct sockaddr *)&address, length)) die("connect");
        no_delay(file);
        polls[i] = (struct pollfd){file, POLLIN, 0};
    }
    char *payload = malloc(size);
    memset(payload, 7, size);
    uint32_t header[HEADER / 4] = {size};
    char ack[ACK];
    long sent = 0, skipped = 0, ticks = 0;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    int64_t start = now();
    while (now() - start < length_of_run) {
        for (int i = 0; i < receivers; i++) {
            if (under_way[i] >= window) {
                skipped++;
                continue;
            }
            struct iovec parts[2] = {{header, HEADER}, {payload, size}};
            struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
            if (sendmsg(polls[i].fd, &message, MSG_NOSIGNAL) != HEADER + size) die("sendmsg");
            under_way[i]++;
            sent++;
        }
        int64_t due = start + (int64_t)(++ticks * 1e9 / rate);
        for (int64_t left = due - now(); left > 0; left = due - now()) {
            struct timespec timeout = {left / 1000000000, left % 1000000000};
            if (ppoll(polls, receivers, &timeout, NULL) < 0 && errno != EINTR) die("ppoll");
            for (int i = 0; i < receivers; i++) {
                if (!(polls[i].revents & POLLIN)) continue;
                if (!read_all(polls[i].fd, ack, ACK)) die("an answer");
                under_way[i]--;
            }
        }
    }
    getrusage(RUSAGE_SELF, &after);
    for (int i = 0; i < receivers; i++) close(polls[i].fd);
    int status;
    if (waitpid(child, &status, 0) < 0 || status) return 1;
    double cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) + (after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
                 (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
                 (after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
    printf("{\"cpuSeconds\":%.6f,\"sent\":%ld,\"skipped\":%ld}\n", cpu, sent, skipped);
    return 0;
}
