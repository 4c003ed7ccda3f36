/*
 * A respaldo dumper in C: the stock pg_dump writes the archive, this passes it on. Linux.
 *
 * The password goes to pg_dump through its environment, never through an argument, where every user of the machine
 * would see it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "common.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ARGUMENTS 100000

/* Takes the password out of a URL; %XX is decoded. */
static void take_password(char *url, char *password) {
    char *user = strstr(url, "://");
    char *at = user ? strchr(user, '@') : NULL;
    char *colon = user ? strchr(user + 3, ':') : NULL;
    password[0] = 0;
    if (!at || !colon || colon > at) return;
    char *to = password;
    for (const char *from = colon + 1; from < at; from++) {
        char hex[3] = {from[1], from[1] ? from[2] : 0, 0};
        if (*from == '%') {
            *to++ = (char)strtol(hex, NULL, 16);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
    memmove(colon, at, strlen(at) + 1);
}

/* The text at a pointer. It is never freed: some hundred bytes per table and dump, in a process of its own. */
static char *text_at(const respaldo_call *call, respaldo_str json, const char *pointer) {
    respaldo_str where = {pointer, strlen(pointer)};
    int64_t len = call->json_get(call, json, where, NULL, 0);
    if (len < 0) return NULL;
    char *text = malloc((size_t)len + 1);
    if (text) call->json_get(call, json, where, text, (size_t)len + 1);
    return text;
}

/* `--option="schema"."name"`: pg_dump takes a quoted name as it stands. */
static char *argument(const char *option, const char *schema, const char *name) {
    char *text = malloc(strlen(option) + 2 * (strlen(schema) + (name ? strlen(name) : 0)) + 16);
    if (!text) return NULL;
    char *to = text + sprintf(text, "--%s=\"", option);
    for (const char *part = schema; part; part = part == schema ? name : NULL) {
        if (part == name) to += sprintf(to, "\".\"");
        for (const char *c = part; *c; c++) {
            if (*c == '"') *to++ = '"';
            *to++ = *c;
        }
    }
    strcpy(to, "\"");
    return text;
}

/* Adds an argument for each table of a list. */
static int add_tables(const respaldo_call *call, respaldo_str json, const char *list, const char *option, char **args, int count) {
    for (unsigned i = 0; count < MOST_ARGUMENTS; i++) {
        char pointer[128];
        snprintf(pointer, sizeof pointer, "/%s/%u/schema", list, i);
        char *schema = text_at(call, json, pointer);
        snprintf(pointer, sizeof pointer, "/%s/%u/name", list, i);
        char *name = text_at(call, json, pointer);
        if (!schema || !name) break;
        args[count++] = argument(option, schema, name);
    }
    return count;
}

static char **arguments(const respaldo_call *call, respaldo_str request, char *url) {
    char **args = calloc(MOST_ARGUMENTS + 16, sizeof *args);
    char *snapshot = text_at(call, request, "/snapshot");
    char *wait = text_at(call, request, "/lock_timeout_ms");
    char *blobs = text_at(call, request, "/large_objects");
    if (!args || !snapshot || !wait || !blobs) return NULL;
    int count = 0;
    args[count++] = "pg_dump";
    args[count++] = "--format=custom";
    args[count++] = "--compress=0";
    args[count++] = "--no-password";
    args[count++] = strcmp(blobs, "true") == 0 ? "--blobs" : "--no-blobs";
    if (asprintf(&args[count++], "--snapshot=%s", snapshot) < 0) return NULL;
    if (asprintf(&args[count++], "--lock-wait-timeout=%s", wait) < 0) return NULL;
    if (asprintf(&args[count++], "--dbname=%s", url) < 0) return NULL;
    count = add_tables(call, request, "definition_only", "exclude-table-data", args, count);
    count = add_tables(call, request, "leave_out", "exclude-table", args, count);
    for (unsigned i = 0; count < MOST_ARGUMENTS; i++) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/exclude_schemas/%u", i);
        char *schema = text_at(call, request, pointer);
        if (!schema) break;
        args[count++] = argument("exclude-schema", schema, NULL);
    }
    return args;
}

/* `folder/pg_dump`, or pg_dump where it is looked for. */
static char *program(const respaldo_call *call, respaldo_str request, const char *pointer) {
    char *folder = text_at(call, request, pointer), *path;
    if (!folder || asprintf(&path, "%s/pg_dump", folder) < 0) return "/usr/bin/pg_dump";
    return path;
}

static int32_t probe(void *state, const respaldo_call *call, respaldo_str request) {
    (void)state;
    char command[4096], line[256] = {0}, version[64] = {0};
    snprintf(command, sizeof command, "'%s' --version", program(call, request, "/pg_bin_path"));
    FILE *said = popen(command, "r");
    if (!said) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "pg_dump does not start: %s", strerror(errno));
    int read = fgets(line, sizeof line, said) != NULL;
    if (pclose(said) != 0 || !read || sscanf(line, "pg_dump (PostgreSQL) %63s", version) != 1) {
        return fail(call, RESPALDO_STATUS_UNAVAILABLE, "pg_dump does not say its version");
    }
    return tell(call, "{\"pg_dump\": \"%s\"}", version);
}

/* Passes on what comes until it ends. */
static int32_t pass_on(const respaldo_call *call, int from, const respaldo_writer *into) {
    for (;;) {
        uint8_t *room;
        int64_t len = into->reserve(into, &room);
        if (len < 0) return RESPALDO_STATUS_STREAM;
        ssize_t got = read(from, room, (size_t)len);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "reading from pg_dump: %s", strerror(errno));
        if (got == 0) return RESPALDO_STATUS_OK;
        if (into->commit(into, (size_t)got) < 0) return RESPALDO_STATUS_STREAM;
        if (call->is_cancelled(call)) return RESPALDO_STATUS_CANCELLED;
    }
}

static int32_t dump(void *state, const respaldo_call *call, respaldo_str request, const respaldo_writer *into) {
    (void)state;
    int ends[2];
    char *url = text_at(call, request, "/target/conninfo");
    char *password = url ? malloc(strlen(url) + 1) : NULL;
    if (!password) return fail(call, RESPALDO_STATUS_INVALID, "the request names no server");
    take_password(url, password);
    char **args = arguments(call, request, url);
    char *path = program(call, request, "/target/pg_bin_path");
    if (!args || pipe(ends) != 0) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "pg_dump cannot be started");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        setenv("PGPASSWORD", password, 1);
        execv(path, args);
        _exit(127);
    }
    explicit_bzero(password, strlen(password));
    free(password);
    close(ends[1]);
    int32_t passed = pass_on(call, ends[0], into);
    close(ends[0]);
    int ended = 0;
    if (passed != RESPALDO_STATUS_OK) kill(child, SIGTERM);
    if (child < 0 || waitpid(child, &ended, 0) < 0) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "pg_dump cannot be started");
    if (passed != RESPALDO_STATUS_OK) return passed;
    /* Only its exit status makes the archive whole. What it said stands in respaldo's log. */
    if (ended != 0) return fail(call, RESPALDO_STATUS_UNAVAILABLE, "pg_dump failed (%d)", WEXITSTATUS(ended));
    return RESPALDO_STATUS_OK;
}

static const respaldo_dumper TABLE = {sizeof(respaldo_dumper), 0, probe, dump};

static const respaldo_descriptor DESCRIPTOR = {
    sizeof(respaldo_descriptor), RESPALDO_KIND_DUMPER, 0, 0,
    TEXT("example.my-dumper"), TEXT("My dumper"), TEXT("0.1.0"), TEXT("me"), TEXT("MIT"),
    TEXT("Runs the stock pg_dump."),
    TEXT("{\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}"),
};

#define INTERFACE "respaldo.dumper/1"
#include "library.h"
