/*
 * A respaldo sink in C, from the header alone: objects are files of a folder.
 *
 * An object is written under .staging, made durable, and linked to its name, which fails where the name is taken. A
 * put that is killed leaves a file in .staging that nobody holds a lock on; sweep removes those.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <respaldo_plugin.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(literal) {literal, sizeof(literal) - 1}
#define STAGING ".staging"

typedef struct {
    char dir[PATH_MAX];
} folder;

/* ---- errors ---- */

/* Tells the host why, and returns the status to return. */
__attribute__((format(printf, 3, 4)))
static int32_t fail(const respaldo_call *call, int32_t status, const char *format, ...) {
    char text[PATH_MAX + 256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text) len = (int)strlen(text);
    respaldo_error error = {sizeof error, status, {text, (size_t)len}};
    call->set_error(call, &error);
    return status;
}

/* As `fail`, the status taken from errno. */
static int32_t fail_errno(const respaldo_call *call, const char *doing, const char *path) {
    int code = errno;
    int32_t status = RESPALDO_STATUS_UNAVAILABLE;
    if (code == ENOENT || code == ENOTDIR || code == EISDIR) status = RESPALDO_STATUS_NOT_FOUND;
    if (code == EEXIST) status = RESPALDO_STATUS_EXISTS;
    if (code == EACCES || code == EPERM || code == EROFS) status = RESPALDO_STATUS_DENIED;
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) status = RESPALDO_STATUS_FULL;
    if (code == ENAMETOOLONG) status = RESPALDO_STATUS_INVALID;
    return fail(call, status, "%s %s: %s", doing, path, strerror(code));
}

/* ---- paths ---- */

/* The host promises good keys; a mistake there must not lead out of the folder. */
static int is_key(respaldo_str key) {
    int at_start = 1;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        if (at_start && (c == '.' || c == '/')) return 0;
        at_start = c == '/';
    }
    return key.len > 0 && key.len <= 512 && !at_start;
}

static int32_t path_of(const folder *it, const respaldo_call *call, respaldo_str key, char *path) {
    if (!is_key(key)) return fail(call, RESPALDO_STATUS_INVALID, "not a key");
    int len = snprintf(path, PATH_MAX, "%s/%.*s", it->dir, (int)key.len, key.ptr);
    if (len >= PATH_MAX) return fail(call, RESPALDO_STATUS_INVALID, "the path is too long");
    return RESPALDO_STATUS_OK;
}

/* Makes the folders that lead to `path`, below `dir`. */
static int make_parents(const char *dir, char *path) {
    for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        int made = mkdir(path, 0700);
        *slash = '/';
        if (made != 0 && errno != EEXIST) return -1;
    }
    return 0;
}

static int sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int done = fsync(fd);
    close(fd);
    return done;
}

/* Makes durable that the folders from that of `path` up to `dir` hold what they hold. */
static int sync_parents(const char *dir, const char *path) {
    char folder_path[PATH_MAX];
    strcpy(folder_path, path);
    for (;;) {
        char *slash = strrchr(folder_path, '/');
        if (!slash || (size_t)(slash - folder_path) < strlen(dir)) return 0;
        *slash = 0;
        if (sync_folder(folder_path) != 0) return -1;
    }
}

/* ---- the sink ---- */

static int32_t probe(void *state, const respaldo_call *call) {
    const folder *it = state;
    char staging[PATH_MAX + 16];
    snprintf(staging, sizeof staging, "%s/" STAGING, it->dir);
    if (mkdir(staging, 0700) != 0 && errno != EEXIST) return fail_errno(call, "make", staging);
    if (access(staging, W_OK | X_OK) != 0) return fail_errno(call, "write to", staging);
    respaldo_str limits = TEXT("{}");
    return call->emit(call, limits) == 0 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_STREAM;
}

/* Opens a staging file that is locked as long as it is open. */
static int staged(const folder *it, char *path, size_t size) {
    static atomic_uint number;
    for (int attempt = 0; attempt < 100; attempt++) {
        unsigned mine = atomic_fetch_add(&number, 1);
        snprintf(path, size, "%s/" STAGING "/%ld-%u", it->dir, (long)getpid(), mine);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == EEXIST) continue;
        if (fd < 0) return -1;
        struct stat stat;
        /* A sweep may have removed it before it was locked. */
        if (flock(fd, LOCK_EX) == 0 && fstat(fd, &stat) == 0 && stat.st_nlink == 1) return fd;
        close(fd);
    }
    return -1;
}

static int32_t copy_in(const respaldo_call *call, const respaldo_reader *source, int fd, uint64_t size) {
    uint64_t done = 0;
    for (;;) {
        const uint8_t *bytes;
        if (call->is_cancelled(call)) return fail(call, RESPALDO_STATUS_CANCELLED, "cancelled");
        int64_t len = source->fill(source, &bytes);
        if (len < 0) return RESPALDO_STATUS_STREAM;
        if (len == 0) break;
        for (int64_t at = 0; at < len;) {
            ssize_t written = write(fd, bytes + at, (size_t)(len - at));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return fail_errno(call, "write", "the object");
            at += written;
        }
        source->consume(source, (size_t)len);
        done += (uint64_t)len;
        call->progress(call, done, size);
    }
    if (done != size) return fail(call, RESPALDO_STATUS_CORRUPT, "the stream has another length than was said");
    if (fsync(fd) != 0) return fail_errno(call, "make durable", "the object");
    return RESPALDO_STATUS_OK;
}

/* Gives the staged file its name. */
static int32_t publish(const folder *it, const respaldo_call *call, const char *from, char *to) {
    if (make_parents(it->dir, to) != 0) return fail_errno(call, "make folders of", to);
    if (link(from, to) != 0) return fail_errno(call, "link", to);
    if (sync_parents(it->dir, to) == 0) return RESPALDO_STATUS_OK;
    int32_t status = fail_errno(call, "make durable", to);
    unlink(to);
    return status;
}

static int32_t put(void *state, const respaldo_call *call, respaldo_str key, uint64_t size,
                   const respaldo_reader *source) {
    const folder *it = state;
    char path[PATH_MAX], staging[PATH_MAX + 64];
    int32_t status = path_of(it, call, key, path);
    if (status != RESPALDO_STATUS_OK) return status;
    snprintf(staging, sizeof staging, "%s/" STAGING, it->dir);
    if (mkdir(staging, 0700) != 0 && errno != EEXIST) return fail_errno(call, "make", staging);
    int fd = staged(it, staging, sizeof staging);
    if (fd < 0) return fail_errno(call, "create", staging);
    status = copy_in(call, source, fd, size);
    if (status == RESPALDO_STATUS_OK) status = publish(it, call, staging, path);
    unlink(staging);
    close(fd);
    return status;
}

static int32_t copy_out(const respaldo_call *call, int fd, uint64_t len, const respaldo_writer *into) {
    for (uint64_t done = 0; done < len;) {
        uint8_t *room;
        if (call->is_cancelled(call)) return fail(call, RESPALDO_STATUS_CANCELLED, "cancelled");
        int64_t free = into->reserve(into, &room);
        if (free < 0) return RESPALDO_STATUS_STREAM;
        if ((uint64_t)free > len - done) free = (int64_t)(len - done);
        ssize_t count = read(fd, room, (size_t)free);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_errno(call, "read", "the object");
        if (count == 0) return fail(call, RESPALDO_STATUS_CORRUPT, "the object is shorter than it was");
        if (into->commit(into, (size_t)count) < 0) return RESPALDO_STATUS_STREAM;
        done += (uint64_t)count;
        call->progress(call, done, len);
    }
    return RESPALDO_STATUS_OK;
}

static int32_t get(void *state, const respaldo_call *call, respaldo_str key, uint64_t offset, uint64_t len,
                   const respaldo_writer *into) {
    char path[PATH_MAX];
    struct stat stat;
    int32_t status = path_of(state, call, key, path);
    if (status != RESPALDO_STATUS_OK) return status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return fail_errno(call, "open", path);
    if (fstat(fd, &stat) != 0) {
        status = fail_errno(call, "look at", path);
    } else if (!S_ISREG(stat.st_mode)) {
        status = fail(call, RESPALDO_STATUS_NOT_FOUND, "%s is no object", path);
    } else {
        uint64_t size = (uint64_t)stat.st_size;
        if (len == RESPALDO_TO_THE_END && offset <= size) len = size - offset;
        if (offset > size || len > size - offset)
            status = fail(call, RESPALDO_STATUS_CORRUPT, "%s ends before the range", path);
        else if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
            status = fail_errno(call, "seek in", path);
        else
            status = copy_out(call, fd, len, into);
    }
    close(fd);
    return status;
}

/* Keys need no escaping in JSON. */
static int32_t emit_info(const respaldo_call *call, const char *key, off_t size) {
    char json[1024];
    int len = snprintf(json, sizeof json, "{\"key\":\"%s\",\"size_bytes\":%lld}", key, (long long)size);
    if (len < 0 || (size_t)len >= sizeof json) return RESPALDO_STATUS_INTERNAL;
    respaldo_str text = {json, (size_t)len};
    return call->emit(call, text) == 0 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_STREAM;
}

static int32_t head(void *state, const respaldo_call *call, respaldo_str key) {
    const folder *it = state;
    char path[PATH_MAX];
    struct stat stat;
    int32_t status = path_of(it, call, key, path);
    if (status != RESPALDO_STATUS_OK) return status;
    if (lstat(path, &stat) != 0) return fail_errno(call, "look at", path);
    if (!S_ISREG(stat.st_mode)) return fail(call, RESPALDO_STATUS_NOT_FOUND, "%s is no object", path);
    return emit_info(call, path + strlen(it->dir) + 1, stat.st_size);
}

/* Lists the folder at `path`, whose keys begin at `path + root`. */
static int32_t list_below(const respaldo_call *call, char *path, size_t root, respaldo_str prefix) {
    DIR *folder_at = opendir(path);
    if (!folder_at) return errno == ENOENT ? RESPALDO_STATUS_OK : fail_errno(call, "list", path);
    int32_t status = RESPALDO_STATUS_OK;
    size_t end = strlen(path);
    struct dirent *entry;
    while (status == RESPALDO_STATUS_OK && (entry = readdir(folder_at))) {
        struct stat stat;
        if (entry->d_name[0] == '.') continue;
        if (end + 1 + strlen(entry->d_name) >= PATH_MAX) continue;
        sprintf(path + end, "/%s", entry->d_name);
        if (call->is_cancelled(call)) {
            status = fail(call, RESPALDO_STATUS_CANCELLED, "cancelled");
        } else if (lstat(path, &stat) != 0) {
            /* Removed meanwhile. */
            if (errno != ENOENT) status = fail_errno(call, "look at", path);
        } else if (S_ISDIR(stat.st_mode)) {
            status = list_below(call, path, root, prefix);
        } else if (S_ISREG(stat.st_mode) && strncmp(path + root, prefix.ptr, prefix.len) == 0) {
            status = emit_info(call, path + root, stat.st_size);
        }
        path[end] = 0;
    }
    closedir(folder_at);
    return status;
}

static int32_t list(void *state, const respaldo_call *call, respaldo_str prefix) {
    const folder *it = state;
    char path[PATH_MAX];
    if (!prefix.ptr) prefix.ptr = "";
    strcpy(path, it->dir);
    return list_below(call, path, strlen(path) + 1, prefix);
}

static int32_t remove_object(void *state, const respaldo_call *call, respaldo_str key) {
    const folder *it = state;
    char path[PATH_MAX];
    int32_t status = path_of(it, call, key, path);
    if (status != RESPALDO_STATUS_OK) return status;
    if (unlink(path) != 0) {
        int absent = errno == ENOENT || errno == ENOTDIR || errno == EISDIR;
        return absent ? RESPALDO_STATUS_OK : fail_errno(call, "remove", path);
    }
    return sync_parents(it->dir, path) == 0 ? RESPALDO_STATUS_OK : fail_errno(call, "make durable", path);
}

/* Removes the staging files that nobody holds. */
static int32_t sweep(void *state, const respaldo_call *call) {
    const folder *it = state;
    char path[PATH_MAX + 320];
    unsigned long removed = 0;
    snprintf(path, sizeof path, "%s/" STAGING, it->dir);
    DIR *staging = opendir(path);
    if (!staging && errno != ENOENT) return fail_errno(call, "list", path);
    for (struct dirent *entry; staging && (entry = readdir(staging));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/" STAGING "/%s", it->dir, entry->d_name);
        int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0) removed++;
        close(fd);
    }
    if (staging) closedir(staging);
    char number[32];
    respaldo_str text = {number, (size_t)snprintf(number, sizeof number, "%lu", removed)};
    return call->emit(call, text) == 0 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_STREAM;
}

static const respaldo_storage storage = {
    sizeof storage, 0, probe, put, get, head, list, remove_object, sweep,
};

/* ---- the library ---- */

static const respaldo_descriptor described = {
    sizeof described,
    RESPALDO_KIND_STORAGE,
    0,
    0,
    TEXT("example.c-folder"),
    TEXT("Folder in C"),
    TEXT("1.0.0"),
    TEXT("respaldo"),
    TEXT("MIT OR Apache-2.0"),
    TEXT("Keeps objects as files of a folder."),
    TEXT("{\"type\":\"object\",\"properties\":{\"dir\":{\"type\":\"string\","
         "\"description\":\"Absolute path of the folder.\",\"pattern\":\"^/\"}},"
         "\"required\":[\"dir\"],\"additionalProperties\":false}"),
};

static int is(respaldo_str text, const char *other) {
    return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

static int32_t init(uint32_t api) { return api >> 16 == 1 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_UNSUPPORTED; }

static uint32_t count(void) { return 1; }

static const respaldo_descriptor *descriptor(uint32_t index) { return index == 0 ? &described : NULL; }

static const void *get_interface(void *state, respaldo_str id) {
    (void)state;
    return is(id, RESPALDO_STORAGE_ID) ? &storage : NULL;
}

/* Emits {"location": "DIR/"}; a path that JSON would have to escape is left unsaid. */
static int32_t emit_location(const respaldo_call *call, const char *dir) {
    char json[PATH_MAX + 32];
    for (const char *c = dir; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20) return RESPALDO_STATUS_OK;
    int len = snprintf(json, sizeof json, "{\"location\":\"%s/\"}", dir);
    respaldo_str text = {json, (size_t)len};
    return call->emit(call, text) == 0 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_STREAM;
}

static int32_t create(const respaldo_call *call, respaldo_str id, respaldo_str options, respaldo_instance *out) {
    if (!is(id, "example.c-folder")) return fail(call, RESPALDO_STATUS_INVALID, "no such plugin in this library");
    folder *it = calloc(1, sizeof *it);
    if (!it) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "out of memory");
    respaldo_str dir = TEXT("/dir");
    int64_t len = call->json_get(call, options, dir, it->dir, sizeof it->dir);
    int32_t status = RESPALDO_STATUS_OK;
    if (len <= 0 || (size_t)len >= sizeof it->dir || it->dir[0] != '/')
        status = fail(call, RESPALDO_STATUS_INVALID, "dir: an absolute path is needed");
    else
        status = emit_location(call, it->dir);
    if (status != RESPALDO_STATUS_OK) {
        free(it);
        return status;
    }
    out->flags = RESPALDO_FLAG_CONCURRENT;
    out->state = it;
    out->get_interface = get_interface;
    out->destroy = free;
    return RESPALDO_STATUS_OK;
}

static const respaldo_entry entry = {
    RESPALDO_ENTRY_MAGIC, sizeof entry, RESPALDO_API_MIN, RESPALDO_API_VERSION, init, count, descriptor, create,
};

const respaldo_entry *respaldo_plugin_entry(void) { return &entry; }
