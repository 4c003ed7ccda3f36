/* The library around a plugin: its entry, which finds the rest. Needs, before it is included:
 * DESCRIPTOR, a respaldo_descriptor; INTERFACE and TABLE, the id and address of what the plugin offers. */
#ifndef LIBRARY_H
#define LIBRARY_H

/* What one instance knows. This plugin has no options, so it knows nothing. */
static int nothing;

static const void *get_interface(void *state, respaldo_str id) {
    (void)state;
    return strcmp(id.ptr, INTERFACE) == 0 ? &TABLE : NULL;
}

static void destroy(void *state) { (void)state; }

static int32_t init(uint32_t api) {
    (void)api;
    return RESPALDO_STATUS_OK;
}

static uint32_t count(void) { return 1; }

static const respaldo_descriptor *descriptor(uint32_t index) { return index == 0 ? &DESCRIPTOR : NULL; }

static int32_t create(const respaldo_call *call, respaldo_str id, respaldo_str options, respaldo_instance *out) {
    if (id.len != DESCRIPTOR.id.len || memcmp(id.ptr, DESCRIPTOR.id.ptr, id.len) != 0) {
        return fail(call, RESPALDO_STATUS_NOT_FOUND, "there is no plugin %s here", id.ptr);
    }
    /* respaldo has checked them against the schema; `get` reads one. */
    (void)options;
    out->flags = RESPALDO_FLAG_CONCURRENT;
    out->state = &nothing;
    out->get_interface = get_interface;
    out->destroy = destroy;
    return RESPALDO_STATUS_OK;
}

static const respaldo_entry ENTRY = {
    RESPALDO_ENTRY_MAGIC, sizeof(respaldo_entry), RESPALDO_API_MIN, RESPALDO_API_VERSION,
    init, count, descriptor, create,
};

__attribute__((visibility("default")))
const respaldo_entry *respaldo_plugin_entry(void) { return &ENTRY; }

#endif
