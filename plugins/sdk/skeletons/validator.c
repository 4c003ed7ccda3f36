/*
 * A respaldo validator in C: the archive must begin as archives of pg_dump do, and be as long as the manifest says.
 * Look at what you care about where it says so.
 */
#include "common.h"

#include <inttypes.h>
#include <stdlib.h>

static int32_t validate(void *state, const respaldo_call *call, respaldo_str request, const respaldo_reader *archive) {
    (void)state;
    char key[640], size[32];
    if (get(call, request, "/key", key, sizeof key) < 0 || get(call, request, "/size_bytes", size, sizeof size) < 0) {
        return fail(call, RESPALDO_STATUS_INVALID, "the request names no archive");
    }
    char head[5] = {0};
    uint64_t seen = 0;
    for (;;) {
        const uint8_t *bytes;
        int64_t len = archive->fill(archive, &bytes);
        if (len < 0) return RESPALDO_STATUS_STREAM;
        if (len == 0) break;
        for (int64_t i = 0; i < len && seen + (uint64_t)i < sizeof head; i++) head[seen + (uint64_t)i] = (char)bytes[i];
        /* Every byte of the archive passes here. */
        archive->consume(archive, (size_t)len);
        seen += (uint64_t)len;
        call->progress(call, seen, 0);
        if (call->is_cancelled(call)) return RESPALDO_STATUS_CANCELLED;
    }
    if (memcmp(head, "PGDMP", sizeof head) != 0) {
        return tell(call, "{\"severity\": \"error\", \"code\": \"no-archive\", \"subject\": \"%s\", "
                          "\"detail\": \"it does not begin as an archive of pg_dump\"}", key);
    }
    if (seen != strtoull(size, NULL, 10)) {
        return tell(call, "{\"severity\": \"error\", \"code\": \"wrong-length\", \"subject\": \"%s\", "
                          "\"detail\": \"%" PRIu64 " bytes instead of %s\"}", key, seen, size);
    }
    return RESPALDO_STATUS_OK;
}

static const respaldo_validator TABLE = {sizeof(respaldo_validator), 0, validate};

static const respaldo_descriptor DESCRIPTOR = {
    sizeof(respaldo_descriptor), RESPALDO_KIND_VALIDATOR, 0, 0,
    TEXT("example.my-validator"), TEXT("My validator"), TEXT("0.1.0"), TEXT("me"), TEXT("MIT"),
    TEXT("Looks at the first bytes and the length of an archive."),
    TEXT("{\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}"),
};

#define INTERFACE "respaldo.validator/1"
#include "library.h"
