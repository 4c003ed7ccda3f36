/* A sink that swallows objects. What includes this breaks one thing of it by a macro. */
#include <respaldo_plugin.h>
#include <string.h>

#define TEXT(literal) {literal, sizeof(literal) - 1}

#ifndef MAGIC
#define MAGIC RESPALDO_ENTRY_MAGIC
#endif
#ifndef API_OLDEST
#define API_OLDEST RESPALDO_API_MIN
#endif
#ifndef API_NEWEST
#define API_NEWEST RESPALDO_API_VERSION
#endif
#ifndef ENTRY_SIZE
#define ENTRY_SIZE sizeof(respaldo_entry)
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(respaldo_storage)
#endif
#ifndef KIND
#define KIND RESPALDO_KIND_STORAGE
#endif
#ifndef ID
#define ID "test.broken"
#endif
#ifndef SCHEMA
#define SCHEMA "{\"type\":\"object\"}"
#endif
#ifndef ENTRY
#define ENTRY (&entry)
#endif

static int32_t probe(void *state, const respaldo_call *call) {
    respaldo_str limits = TEXT("{}");
    (void)state;
    return call->emit(call, limits) == 0 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_STREAM;
}

static int32_t put(void *state, const respaldo_call *call, respaldo_str key, uint64_t size,
                   const respaldo_reader *source) {
    const uint8_t *bytes;
    int64_t len;
    (void)state, (void)call, (void)key, (void)size;
    while ((len = source->fill(source, &bytes)) > 0) source->consume(source, (size_t)len);
    return len == 0 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_STREAM;
}

static int32_t absent(void *state, const respaldo_call *call, respaldo_str key) {
    (void)state, (void)call, (void)key;
    return RESPALDO_STATUS_NOT_FOUND;
}

static int32_t done(void *state, const respaldo_call *call, respaldo_str key) {
    (void)state, (void)call, (void)key;
    return RESPALDO_STATUS_OK;
}

/* What lies behind `TABLE_SIZE` must never be read: it leads nowhere. */
static const respaldo_storage storage = {
    (uint32_t)TABLE_SIZE, 0, probe, put, 0, absent, done, done, 0,
};

static const respaldo_descriptor described = {
    sizeof described,   KIND,       0,          0,          TEXT(ID), TEXT("Broken"),
    TEXT("1.0.0"),      TEXT(""),   TEXT(""),   TEXT(""),   TEXT(SCHEMA),
};

static int32_t init(uint32_t api) { return api ? RESPALDO_STATUS_OK : RESPALDO_STATUS_INTERNAL; }
static uint32_t count(void) { return 1; }
static const respaldo_descriptor *descriptor(uint32_t index) { return index == 0 ? &described : NULL; }

static const void *get_interface(void *state, respaldo_str id) {
    (void)state;
    return strcmp(id.ptr, RESPALDO_STORAGE_ID) == 0 ? &storage : NULL;
}

static void destroy(void *state) { (void)state; }

static int32_t create(const respaldo_call *call, respaldo_str id, respaldo_str options, respaldo_instance *out) {
    (void)call, (void)id, (void)options;
    out->get_interface = get_interface;
    out->destroy = destroy;
    return RESPALDO_STATUS_OK;
}

static const respaldo_entry entry = {
    MAGIC, (uint32_t)ENTRY_SIZE, API_OLDEST, API_NEWEST, init, count, descriptor, create,
};

#ifndef NO_ENTRY
const respaldo_entry *respaldo_plugin_entry(void) { return ENTRY; }
#endif
