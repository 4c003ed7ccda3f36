/*
 * A respaldo detector in C that proves nothing: it says of every table that it does not know, and so every table is
 * dumped. Put your proof where it says so; whatever you are not sure of stays "unknown".
 */
#include "common.h"

static int32_t baseline(void *state, const respaldo_call *call, respaldo_str request) {
    /* What must be read before the snapshot is taken goes here, as one document. */
    (void)state, (void)call, (void)request;
    return RESPALDO_STATUS_OK;
}

static int32_t verdicts(void *state, const respaldo_call *call, respaldo_str request) {
    (void)state;
    /* json_get reads the whole request each time: for thousands of tables use a parser of yours. */
    for (unsigned i = 0;; i++) {
        char pointer[64], oid[16];
        snprintf(pointer, sizeof pointer, "/tables/%u/oid", i);
        if (get(call, request, pointer, oid, sizeof oid) < 0) break;
        if (call->is_cancelled(call)) return RESPALDO_STATUS_CANCELLED;
        /* "unchanged" only where it is proven, with the evidence that the next comparison needs. */
        int32_t told = tell(call, "{\"oid\": %s, \"verdict\": \"unknown\", \"reason\": \"not-proven\"}", oid);
        if (told != RESPALDO_STATUS_OK) return told;
    }
    return tell(call, "{\"alarms\": [], \"figures\": {}}");
}

static const respaldo_detector TABLE = {sizeof(respaldo_detector), 0, baseline, verdicts};

static const respaldo_descriptor DESCRIPTOR = {
    sizeof(respaldo_descriptor), RESPALDO_KIND_DETECTOR, 0, 0,
    TEXT("example.my-detector"), TEXT("My detector"), TEXT("0.1.0"), TEXT("me"), TEXT("MIT"),
    TEXT("Says of every table that it does not know."),
    TEXT("{\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}"),
};

#define INTERFACE "respaldo.detector/1"
#include "library.h"
