/* What every plugin in C needs besides the header. */
#ifndef COMMON_H
#define COMMON_H

#include <respaldo_plugin.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal) {literal, sizeof(literal) - 1}

/* Tells the host why, and returns the status to return. Never with a secret in it. */
__attribute__((format(printf, 3, 4), unused))
static int32_t fail(const respaldo_call *call, int32_t status, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    respaldo_error error = {sizeof error, status, {text, strlen(text)}};
    call->set_error(call, &error);
    return status;
}

/* Hands one JSON document of the result to the host. */
__attribute__((format(printf, 2, 3), unused))
static int32_t tell(const respaldo_call *call, const char *format, ...) {
    char text[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text) {
        return fail(call, RESPALDO_STATUS_INTERNAL, "a document is too long");
    }
    respaldo_str json = {text, (size_t)len};
    return call->emit(call, json) == 0 ? RESPALDO_STATUS_OK : RESPALDO_STATUS_STREAM;
}

/* What stands at `pointer` of a document, as text; -1 where nothing does. */
__attribute__((unused))
static int64_t get(const respaldo_call *call, respaldo_str json, const char *pointer, char *into, size_t cap) {
    respaldo_str where = {pointer, strlen(pointer)};
    int64_t len = call->json_get(call, json, where, into, cap);
    return len < 0 || (size_t)len >= cap ? -1 : len;
}

#endif
