/*
 * A sink in C that misbehaves on request: what a host must survive. It is the sink of c-folder, with every call
 * taken through `strike` first.
 *
 * Options: {"dir": "/store", "fault": "segfault", "at": "put", "after": 4194304}. A fault in put or get strikes after
 * so many bytes of the stream; without "fault" nothing is wrong.
 */
#define _GNU_SOURCE
#include <respaldo_plugin.h>
#define respaldo_plugin_entry folder_plugin_entry
#include "../c-folder/folder.c"
#undef respaldo_plugin_entry

typedef struct {
    folder inner; /* First: the sink's functions see this. */
    char fault[32];
    char at[16];
    uint64_t after;
} faulty;

static int has(const faulty *it, const char *fault) { return strcmp(it->fault, fault) == 0; }

/* ---- the faults ---- */

static void hang(const respaldo_call *call, int beats) {
    for (uint64_t beat = 0;; beat++) {
        if (beats) call->progress(call, beat, 0);
        usleep(20 * 1000);
    }
}

static void print_much(void) {
    char line[100];
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 4000; i++)
        if (write(1, line, sizeof line) < 0) break;
    while (read(0, line, sizeof line) > 0) {
    }
}

static uint64_t deeper(uint64_t depth) {
    volatile uint64_t room[512];
    room[depth % 512] = depth;
    if (depth == UINT64_MAX) return 0;
    return deeper(depth + 1) + room[3];
}

static void leak(size_t size) {
    char *lost = malloc(size);
    if (lost) memset(lost, 7, size);
}

static void crash(void) {
    volatile int *nowhere = (volatile int *)(uintptr_t)8;
    *nowhere = 1;
}

/* Emits what is no JSON, an error that is no UTF-8 and no text, and a status that nobody knows. */
static int32_t garbage(const respaldo_call *call) {
    static const char bytes[] = "{\"key\": \xff\xfe \0 [[[";
    respaldo_str text = {bytes, sizeof bytes - 1};
    respaldo_error error = {sizeof error, 4711, text};
    call->emit(call, text);
    call->log(call, 99, text);
    call->set_error(call, &error);
    return 4711;
}

/* RESPALDO_STATUS_OK lets the call go on. */
static int32_t strike(const faulty *it, const respaldo_call *call, const char *at) {
    if (strcmp(it->at, at) != 0) return RESPALDO_STATUS_OK;
    if (has(it, "segfault")) crash();
    if (has(it, "abort")) abort();
    if (has(it, "exit")) exit(3);
    if (has(it, "hang")) hang(call, 0);
    if (has(it, "hang-ignoring-cancel")) hang(call, 1);
    if (has(it, "spin")) for (volatile int on = 1; on;) on = 1;
    if (has(it, "garbage")) return garbage(call);
    if (has(it, "leak")) leak((size_t)64 << 20);
    if (has(it, "memory")) for (;;) leak((size_t)64 << 20);
    if (has(it, "stdout")) print_much();
    if (has(it, "close-fds")) for (int fd = 3; fd < 1024; fd++) close(fd);
    if (has(it, "stack-overflow")) deeper(1);
    if (has(it, "slow")) usleep(50 * 1000);
    if (has(it, "unavailable")) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "503 slow down");
    if (has(it, "full")) return fail(call, RESPALDO_STATUS_FULL, "no room");
    if (has(it, "no-reason")) return RESPALDO_STATUS_UNAVAILABLE;
    return RESPALDO_STATUS_OK;
}

/* ---- streams that strike on the way ---- */

typedef struct {
    respaldo_reader reader;
    const respaldo_reader *inner;
    const faulty *it;
    const respaldo_call *call;
    uint64_t done;
    int32_t status;
} striking_reader;

static int64_t striking_fill(const respaldo_reader *reader, const uint8_t **out) {
    striking_reader *mine = reader->ctx;
    if (mine->done >= mine->it->after && mine->status == RESPALDO_STATUS_OK)
        mine->status = strike(mine->it, mine->call, "put");
    if (mine->status != RESPALDO_STATUS_OK) return -1;
    return mine->inner->fill(mine->inner, out);
}

static void striking_consume(const respaldo_reader *reader, size_t len) {
    striking_reader *mine = reader->ctx;
    mine->done += len;
    /* More than was lent: a host must not believe it. */
    if (has(mine->it, "lie") && strcmp(mine->it->at, "put") == 0) len += (size_t)1 << 40;
    mine->inner->consume(mine->inner, len);
}

static int32_t faulty_put(void *state, const respaldo_call *call, respaldo_str key, uint64_t size,
                          const respaldo_reader *source) {
    const faulty *it = state;
    if (has(it, "ok-early") && strcmp(it->at, "put") == 0) return RESPALDO_STATUS_OK;
    striking_reader mine = {*source, source, it, call, 0, RESPALDO_STATUS_OK};
    mine.reader.ctx = &mine;
    mine.reader.fill = striking_fill;
    mine.reader.consume = striking_consume;
    int32_t status = put(state, call, key, size, &mine.reader);
    return mine.status != RESPALDO_STATUS_OK ? mine.status : status;
}

typedef struct {
    respaldo_writer writer;
    const respaldo_writer *inner;
    const faulty *it;
    const respaldo_call *call;
    uint64_t done;
    int32_t status;
} striking_writer;

static int64_t striking_reserve(const respaldo_writer *writer, uint8_t **out) {
    striking_writer *mine = writer->ctx;
    if (mine->done >= mine->it->after && mine->status == RESPALDO_STATUS_OK)
        mine->status = strike(mine->it, mine->call, "get");
    if (mine->status != RESPALDO_STATUS_OK) return -1;
    return mine->inner->reserve(mine->inner, out);
}

static int64_t striking_commit(const respaldo_writer *writer, size_t len) {
    striking_writer *mine = writer->ctx;
    mine->done += len;
    if (has(mine->it, "lie") && strcmp(mine->it->at, "get") == 0) len += (size_t)1 << 40;
    return mine->inner->commit(mine->inner, len);
}

static int32_t faulty_get(void *state, const respaldo_call *call, respaldo_str key, uint64_t offset, uint64_t len,
                          const respaldo_writer *into) {
    const faulty *it = state;
    if (has(it, "ok-early") && strcmp(it->at, "get") == 0) return RESPALDO_STATUS_OK;
    striking_writer mine = {*into, into, it, call, 0, RESPALDO_STATUS_OK};
    mine.writer.ctx = &mine;
    mine.writer.reserve = striking_reserve;
    mine.writer.commit = striking_commit;
    int32_t status = get(state, call, key, offset, len, &mine.writer);
    return mine.status != RESPALDO_STATUS_OK ? mine.status : status;
}

/* ---- the other calls ---- */

static int32_t faulty_probe(void *state, const respaldo_call *call) {
    int32_t status = strike(state, call, "probe");
    return status != RESPALDO_STATUS_OK ? status : probe(state, call);
}

static int32_t faulty_head(void *state, const respaldo_call *call, respaldo_str key) {
    int32_t status = strike(state, call, "head");
    return status != RESPALDO_STATUS_OK ? status : head(state, call, key);
}

static int32_t faulty_list(void *state, const respaldo_call *call, respaldo_str prefix) {
    int32_t status = strike(state, call, "list");
    return status != RESPALDO_STATUS_OK ? status : list(state, call, prefix);
}

static int32_t faulty_remove(void *state, const respaldo_call *call, respaldo_str key) {
    int32_t status = strike(state, call, "remove");
    return status != RESPALDO_STATUS_OK ? status : remove_object(state, call, key);
}

static int32_t faulty_sweep(void *state, const respaldo_call *call) {
    int32_t status = strike(state, call, "sweep");
    return status != RESPALDO_STATUS_OK ? status : sweep(state, call);
}

static const respaldo_storage faulty_storage = {
    sizeof faulty_storage, 0, faulty_probe, faulty_put, faulty_get, faulty_head, faulty_list, faulty_remove,
    faulty_sweep,
};

/* ---- the library ---- */

static const respaldo_descriptor faulty_described = {
    sizeof faulty_described,
    RESPALDO_KIND_STORAGE,
    0,
    0,
    TEXT("test.c-faulty"),
    TEXT("Faulty in C"),
    TEXT("1.0.0"),
    TEXT(""),
    TEXT(""),
    TEXT(""),
    TEXT("{\"type\":\"object\",\"properties\":{\"dir\":{\"type\":\"string\"},\"fault\":{\"type\":\"string\"},"
         "\"at\":{\"type\":\"string\"},\"after\":{\"type\":\"integer\",\"minimum\":0}},"
         "\"required\":[\"dir\"],\"additionalProperties\":false}"),
};

static const respaldo_descriptor *faulty_descriptor(uint32_t index) {
    return index == 0 ? &faulty_described : NULL;
}

static const void *faulty_interface(void *state, respaldo_str id) {
    const faulty *it = state;
    if (has(it, "no-interface")) return NULL;
    return is(id, RESPALDO_STORAGE_ID) ? &faulty_storage : NULL;
}

static int option(const respaldo_call *call, respaldo_str options, const char *pointer, char *out, size_t size) {
    respaldo_str at = {pointer, strlen(pointer)};
    int64_t len = call->json_get(call, options, at, out, size);
    if (len < 0) out[0] = 0;
    return len < (int64_t)size;
}

static int32_t faulty_create(const respaldo_call *call, respaldo_str id, respaldo_str options, respaldo_instance *out) {
    if (!is(id, "test.c-faulty")) return fail(call, RESPALDO_STATUS_INVALID, "no such plugin in this library");
    faulty *it = calloc(1, sizeof *it);
    if (!it) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "out of memory");
    char after[32];
    int fits = option(call, options, "/dir", it->inner.dir, sizeof it->inner.dir)
        && option(call, options, "/fault", it->fault, sizeof it->fault)
        && option(call, options, "/at", it->at, sizeof it->at) && option(call, options, "/after", after, sizeof after);
    int32_t status = RESPALDO_STATUS_OK;
    if (!fits || it->inner.dir[0] != '/')
        status = fail(call, RESPALDO_STATUS_INVALID, "options: not understood");
    else
        status = strike(it, call, "create");
    if (status != RESPALDO_STATUS_OK) {
        free(it);
        return status;
    }
    it->after = strtoull(after, NULL, 10);
    out->flags = RESPALDO_FLAG_CONCURRENT;
    out->state = it;
    out->get_interface = faulty_interface;
    out->destroy = free;
    return emit_location(call, it->inner.dir);
}

static const respaldo_entry faulty_entry = {
    RESPALDO_ENTRY_MAGIC, sizeof faulty_entry,  RESPALDO_API_MIN,  RESPALDO_API_VERSION, init, count,
    faulty_descriptor,    faulty_create,
};

const respaldo_entry *respaldo_plugin_entry(void) { return &faulty_entry; }
