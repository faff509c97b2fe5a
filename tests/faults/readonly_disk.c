/* A disk that turns read-only at run time: loaded before libc by disk.rs. While the file $READONLY_WHILE exists,
 * whatever would change something under $READONLY_DISK fails with EROFS, as on a file system that the kernel has
 * made read-only after an error. Everything else goes to libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int failing(void) {
    const char *when = getenv("READONLY_WHILE");
    return when && access(when, F_OK) == 0;
}

static int on_disk(const char *path) {
    const char *disk = getenv("READONLY_DISK");
    char full[PATH_MAX], here[PATH_MAX];
    if (!disk || !path) return 0;
    if (path[0] != '/') {
        if (!getcwd(here, sizeof here)) return 0;
        if (snprintf(full, sizeof full, "%s/%s", here, path) >= (int)sizeof full) return 0;
        path = full;
    }
    return strncmp(path, disk, strlen(disk)) == 0;
}

static int fd_on_disk(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return on_disk(path);
}

static int refused(int is_ours) {
    int before = errno;
    if (is_ours && failing()) {
        errno = EROFS;
        return 1;
    }
    errno = before;
    return 0;
}

static int writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)); }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                        \
    int name(const char *path, int flags, ...) {                          \
        va_list rest;                                                     \
        va_start(rest, flags);                                            \
        mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;       \
        va_end(rest);                                                     \
        if (writes(flags) && refused(on_disk(path))) return -1;           \
        return REAL(name)(path, flags, mode);                             \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *from, size_t size) {
    return refused(fd_on_disk(fd)) ? -1 : REAL(write)(fd, from, size);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    return refused(fd_on_disk(fd)) ? -1 : REAL(pwrite)(fd, from, size, at);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    return refused(fd_on_disk(fd)) ? -1 : REAL(pwrite64)(fd, from, size, at);
}
int ftruncate(int fd, off_t size) { return refused(fd_on_disk(fd)) ? -1 : REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return refused(fd_on_disk(fd)) ? -1 : REAL(ftruncate64)(fd, size); }
int fallocate(int fd, int mode, off_t at, off_t size) {
    return refused(fd_on_disk(fd)) ? -1 : REAL(fallocate)(fd, mode, at, size);
}
int mkdir(const char *path, mode_t mode) { return refused(on_disk(path)) ? -1 : REAL(mkdir)(path, mode); }
int unlink(const char *path) { return refused(on_disk(path)) ? -1 : REAL(unlink)(path); }
int rename(const char *from, const char *to) { return refused(on_disk(to)) ? -1 : REAL(rename)(from, to); }
int link(const char *from, const char *to) { return refused(on_disk(to)) ? -1 : REAL(link)(from, to); }
