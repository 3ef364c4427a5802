/*
 * Preloaded into pcscd by with-pcscd.sh: takes the waiting out of vpcd, for tests and demonstrations.
 *
 * vpcd writes a frame's length and its payload apart, and Nagle's algorithm then waits for the delayed ACK: 44 ms an
 * APDU. pcscd looks for a card every 400 ms. Neither says anything about Farthing, and a real reader has neither.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

#define POLL_NS_MAX (10 * 1000 * 1000L)

int accept(int listener, struct sockaddr *address, socklen_t *length)
{
    static int (*next)(int, struct sockaddr *, socklen_t *);
    if (!next) next = dlsym(RTLD_NEXT, "accept");
    int connection = next(listener, address, length);
    int on = 1;
    if (connection >= 0) setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connection;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    static int (*next)(const struct timespec *, struct timespec *);
    if (!next) next = dlsym(RTLD_NEXT, "nanosleep");
    struct timespec at_most = *wanted;
    if (at_most.tv_sec > 0 || at_most.tv_nsec > POLL_NS_MAX) {
        at_most.tv_sec = 0;
        at_most.tv_nsec = POLL_NS_MAX;
    }
    return next(&at_most, left);
}
