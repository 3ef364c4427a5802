/*
 * A disk that fails, for one folder: preloaded into a process of its own (disk-faults.ts compiles it), it stands between
 * libc's file calls and SQLite and Node, which make them. Linux.
 *
 *   FARTHING_DISK_FOLDER  the folder, absolute; other files are left alone
 *   FARTHING_DISK_PLAN    "MODE N" or "MODE N on": what happens at the Nth mutating call from the moment that the plan
 *                         was set (once, or from then on; "MODE 0 on": from the very beginning). The process may change
 *                         it while it runs; empty: nothing.
 *       killBefore killAfter   SIGKILL, before or after the call
 *       full io readOnly       the call fails with ENOSPC, EIO, EROFS
 *       short                  the Nth write takes half of its bytes, and says so (only writes are counted)
 *       shortFull              the same, and then the disk is full
 *       sync                   the Nth fsync or fdatasync fails with EIO (only these are counted)
 *       dead                   from then on everything fails with EIO, reads too
 *   FARTHING_DISK_RECORD  a file that every mutating call is appended to, in order (recording.ts reads it)
 *   FARTHING_DISK_FIRED   is set by the layer: the call at which the plan came true
 *
 * A mutating call: open that makes or empties a file, write, writev, pwrite, pwritev, ftruncate, fsync, fdatasync,
 * rename, link, unlink, remove, mkdir, rmdir.
 * Covered: everything that SQLite and Node's fs write in the folder, but not the -shm file: SQLite maps it into memory,
 * makes it anew from the WAL after a crash, and never trusts it to be durable; it is left alone here.
 * Not covered: stores to mapped memory (Farthing's databases use none: mmap_size is 0), chmod and times, the order in
 * which the kernel writes back the pages of one call, blocks that go bad later, a disk that lies about fsync.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- which files ---- */

static int watched(const char *path)
{
    static const char *folder;
    if (!folder) folder = getenv("FARTHING_DISK_FOLDER");
    if (!folder || !path) return 0;
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != 0)) return 0;
    size_t end = strlen(path);
    return !(end >= 4 && strcmp(path + end - 4, "-shm") == 0);
}

/* The path behind a descriptor, if it is a watched one that still has a name. */
static const char *path_of(int fd, char *path)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    if (strstr(path, " (deleted)")) return NULL;
    return watched(path) ? path : NULL;
}

/* ---- the recording ---- */

struct call {
    char kind; /* c made, t truncated, w written, s synced, r renamed, l linked, u unlinked, m folder made, x removed */
    const char *path;
    const char *other;
    uint64_t offset;
    const struct iovec *parts;
    int part_count;
    size_t length;
};

static ssize_t plain_write(int fd, const void *bytes, size_t length)
{
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    return next(fd, bytes, length);
}

static void record(const struct call *call)
{
    static int log = -2;
    if (log == -2) {
        static int (*open_next)(const char *, int, ...);
        const char *file = getenv("FARTHING_DISK_RECORD");
        open_next = dlsym(RTLD_NEXT, "open64");
        log = file ? open_next(file, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    }
    if (log < 0) return;
    struct __attribute__((packed)) {
        char kind;
        uint16_t path_length, other_length;
        uint64_t offset;
        uint32_t length;
    } head = {call->kind, (uint16_t)strlen(call->path), (uint16_t)(call->other ? strlen(call->other) : 0), call->offset,
              (uint32_t)call->length};
    plain_write(log, &head, sizeof head);
    plain_write(log, call->path, head.path_length);
    if (call->other) plain_write(log, call->other, head.other_length);
    size_t left = call->length;
    for (int i = 0; i < call->part_count && left > 0; i++) {
        size_t take = call->parts[i].iov_len < left ? call->parts[i].iov_len : left;
        plain_write(log, call->parts[i].iov_base, take);
        left -= take;
    }
}

/* ---- the plan ---- */

static char plan_text[64];
static char mode[16];
static long at, count;
static int lasting, fired;

static void read_plan(void)
{
    const char *text = getenv("FARTHING_DISK_PLAN");
    if (!text) text = "";
    if (strncmp(text, plan_text, sizeof plan_text - 1) == 0) return;
    char how[8] = "";
    strncpy(plan_text, text, sizeof plan_text - 1);
    mode[0] = 0;
    at = count = fired = 0;
    sscanf(text, "%15s %ld %7s", mode, &at, how);
    lasting = strcmp(how, "on") == 0 || strcmp(mode, "dead") == 0;
    if (mode[0] && at == 0) {
        fired = 1;
        setenv("FARTHING_DISK_FIRED", "before the first call", 1);
    }
}

static int is(const char *name) { return strcmp(mode, name) == 0; }

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void tell(const struct call *call)
{
    char text[PATH_MAX + 8];
    const char *name = strrchr(call->path, '/');
    snprintf(text, sizeof text, "%c %s", call->kind, name ? name + 1 : call->path);
    setenv("FARTHING_DISK_FIRED", text, 1);
}

enum { GO_ON, KILL_AFTER, HALF, FAIL };

/* What becomes of this call; on FAIL errno is set. */
static int judge(const struct call *call)
{
    read_plan();
    if (!mode[0]) return GO_ON;
    if (fired && !lasting && !is("shortFull")) return GO_ON;
    int syncing = call->kind == 's';
    if (is("sync") && !syncing) return GO_ON;
    if ((is("short") || is("shortFull")) && !fired && (call->kind != 'w' || call->length < 2)) return GO_ON;
    if (!fired && ++count < at) return GO_ON;
    int first = !fired;
    fired = 1;
    if (first && is("killBefore")) die();
    if (is("killAfter")) return first ? KILL_AFTER : GO_ON;
    if (first) tell(call);
    if (is("full") || (is("shortFull") && !first)) {
        /* Room is needed to write and to make, not to remove. A lasting short disk stays full; a brief one is full once. */
        if (is("shortFull") && !lasting) mode[0] = 0;
        if (call->kind == 'u' || call->kind == 'x') return GO_ON;
        errno = ENOSPC;
        return FAIL;
    }
    if (is("short") || is("shortFull")) return HALF;
    errno = is("readOnly") ? EROFS : EIO;
    return FAIL;
}

static int disk_is_dead(void)
{
    read_plan();
    return is("dead") && fired;
}

static int disk_is_read_only(void)
{
    read_plan();
    return is("readOnly") && fired && lasting;
}

#define MUTATING(call, failed, action) \
    do { \
        pthread_mutex_lock(&mutex); \
        int verdict = judge(&(call)); \
        if (verdict == FAIL) { \
            pthread_mutex_unlock(&mutex); \
            return failed; \
        } \
        __typeof__(failed) result = (action); \
        int error = errno; \
        if (result >= 0) record(&(call)); \
        if (verdict == KILL_AFTER) die(); \
        pthread_mutex_unlock(&mutex); \
        errno = error; \
        return result; \
    } while (0)

/* ---- making and opening ---- */

typedef int (*open_function)(const char *, int, ...);

static int open_watched(open_function next, const char *path, int flags, mode_t rights)
{
    struct stat found;
    int exists = stat(path, &found) == 0;
    int makes = (flags & O_CREAT) && !exists;
    int empties = (flags & O_TRUNC) && exists && found.st_size > 0;
    int writes = (flags & O_ACCMODE) != O_RDONLY;
    if (disk_is_dead() || (writes && disk_is_read_only())) {
        errno = disk_is_dead() ? EIO : EROFS;
        return -1;
    }
    if (!makes && !empties) return next(path, flags, rights);
    struct call call = {.kind = makes ? 'c' : 't', .path = path};
    MUTATING(call, -1, next(path, flags, rights));
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        NEXT(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t rights = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return watched(path) ? open_watched((open_function)next, path, flags, rights) : next(path, flags, rights); \
    }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t rights)
{
    NEXT(mkdir);
    struct stat found;
    /* What exists already exists on a full disk too. */
    if (!watched(path) || stat(path, &found) == 0) return next(path, rights);
    struct call call = {.kind = 'm', .path = path};
    MUTATING(call, -1, next(path, rights));
}

/* ---- writing ---- */

static struct iovec *half_of(const struct iovec *parts, int part_count, size_t half, struct iovec *halved)
{
    for (int i = 0; i < part_count; i++) {
        halved[i] = parts[i];
        if (halved[i].iov_len > half) halved[i].iov_len = half;
        half -= halved[i].iov_len;
    }
    return halved;
}

/* @param offset -1: at the file's own position */
static ssize_t write_watched(int fd, const char *path, const struct iovec *parts, int part_count, off64_t offset)
{
    static ssize_t (*pwritev_next)(int, const struct iovec *, int, off64_t);
    static ssize_t (*writev_next)(int, const struct iovec *, int);
    if (!pwritev_next) pwritev_next = dlsym(RTLD_NEXT, "pwritev64");
    if (!writev_next) writev_next = dlsym(RTLD_NEXT, "writev");
    size_t length = 0;
    for (int i = 0; i < part_count; i++) length += parts[i].iov_len;
    off64_t position = offset;
    if (offset < 0)
        position = (fcntl(fd, F_GETFL) & O_APPEND) ? lseek64(fd, 0, SEEK_END) : lseek64(fd, 0, SEEK_CUR);
    struct call call = {'w', path, NULL, (uint64_t)position, parts, part_count, length};
    pthread_mutex_lock(&mutex);
    int verdict = judge(&call);
    if (verdict == FAIL) {
        pthread_mutex_unlock(&mutex);
        return -1;
    }
    struct iovec halved[part_count];
    const struct iovec *wanted = verdict == HALF ? half_of(parts, part_count, length / 2, halved) : parts;
    ssize_t written = offset < 0 ? writev_next(fd, wanted, part_count) : pwritev_next(fd, wanted, part_count, offset);
    int error = errno;
    if (written >= 0) {
        call.length = (size_t)written;
        record(&call);
    }
    if (verdict == KILL_AFTER) die();
    pthread_mutex_unlock(&mutex);
    errno = error;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    struct iovec part = {(void *)bytes, length};
    return path ? write_watched(fd, path, &part, 1, -1) : plain_write(fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *parts, int part_count)
{
    NEXT(writev);
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    return path ? write_watched(fd, path, parts, part_count, -1) : next(fd, parts, part_count);
}

#define PWRITE(name) \
    ssize_t name(int fd, const void *bytes, size_t length, off64_t offset) \
    { \
        NEXT(name); \
        char buffer[PATH_MAX]; \
        const char *path = path_of(fd, buffer); \
        struct iovec part = {(void *)bytes, length}; \
        return path ? write_watched(fd, path, &part, 1, offset) : next(fd, bytes, length, offset); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(name) \
    ssize_t name(int fd, const struct iovec *parts, int part_count, off64_t offset) \
    { \
        NEXT(name); \
        char buffer[PATH_MAX]; \
        const char *path = path_of(fd, buffer); \
        return path ? write_watched(fd, path, parts, part_count, offset) : next(fd, parts, part_count, offset); \
    }
PWRITEV(pwritev)
PWRITEV(pwritev64)

#define FTRUNCATE(name) \
    int name(int fd, off64_t length) \
    { \
        NEXT(name); \
        char buffer[PATH_MAX]; \
        const char *path = path_of(fd, buffer); \
        if (!path) return next(fd, length); \
        struct call call = {.kind = 't', .path = path, .offset = (uint64_t)length}; \
        MUTATING(call, -1, next(fd, length)); \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

#define SYNC(name) \
    int name(int fd) \
    { \
        NEXT(name); \
        char buffer[PATH_MAX]; \
        const char *path = path_of(fd, buffer); \
        if (!path) return next(fd); \
        struct call call = {.kind = 's', .path = path}; \
        MUTATING(call, -1, next(fd)); \
    }
SYNC(fsync)
SYNC(fdatasync)

/* ---- names ---- */

#define TWO_NAMES(name, letter) \
    int name(const char *from, const char *to) \
    { \
        NEXT(name); \
        if (!watched(from) && !watched(to)) return next(from, to); \
        struct call call = {.kind = letter, .path = from, .other = to}; \
        MUTATING(call, -1, next(from, to)); \
    }
TWO_NAMES(rename, 'r')
TWO_NAMES(link, 'l')

#define ONE_NAME(name, letter) \
    int name(const char *path) \
    { \
        NEXT(name); \
        struct stat found; \
        if (!watched(path) || lstat(path, &found) != 0) return next(path); \
        struct call call = {.kind = letter, .path = path}; \
        MUTATING(call, -1, next(path)); \
    }
ONE_NAME(unlink, 'u')
ONE_NAME(remove, 'u')
ONE_NAME(rmdir, 'x')

/* ---- reading, from a disk that is dead ---- */

ssize_t read(int fd, void *bytes, size_t length)
{
    NEXT(read);
    char buffer[PATH_MAX];
    if (!disk_is_dead() || !path_of(fd, buffer)) return next(fd, bytes, length);
    errno = EIO;
    return -1;
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset)
{
    NEXT(pread64);
    char buffer[PATH_MAX];
    if (!disk_is_dead() || !path_of(fd, buffer)) return next(fd, bytes, length, offset);
    errno = EIO;
    return -1;
}
