/*
 * The boundary between respaldo and its plugins. Generated from plugins/sdk/src/abi.rs.
 *
 * - One exported function, respaldo_plugin_entry, returns a respaldo_entry whose first 16 bytes never change.
 * - Structs grow at the end only and begin with their size. Whoever reads a field checks first that the other
 *   side's struct reaches that far.
 * - An interface is asked for by an id which carries its revision. An incompatible change is a new id; a plugin
 *   may offer both.
 * - No enum crosses: constants of fixed width. Unknown values are RESPALDO_STATUS_INTERNAL or ignored.
 * - No memory changes its owner. What a call is given is valid until it returns; what the plugin hands to a
 *   function of the host is copied before that function returns.
 * - Every call is synchronous. A stream belongs to its call and is used by one thread at a time; the functions of
 *   a call may be used by any thread until the call returns.
 * - No exception leaves a function, in either direction.
 */

#ifndef RESPALDO_PLUGIN_H
#define RESPALDO_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

// "PGBK", read as a little-endian number.
#define RESPALDO_ENTRY_MAGIC 1262634832

// Oldest version of the boundary that this header's plugins can work with: major << 16 | minor.
#define RESPALDO_API_MIN 65536

// Version of the boundary described here.
#define RESPALDO_API_VERSION 65536

// What a plugin is: it offers the interface of the same number's id.
#define RESPALDO_KIND_STORAGE 1

// See RESPALDO_KIND_STORAGE.
#define RESPALDO_KIND_DETECTOR 2

// See RESPALDO_KIND_STORAGE.
#define RESPALDO_KIND_DUMPER 3

// See RESPALDO_KIND_STORAGE.
#define RESPALDO_KIND_VALIDATOR 4

// Flag of respaldo_instance: calls may come from several threads at once. Without it the host makes
// one call after the other.
#define RESPALDO_FLAG_CONCURRENT 1

// Done.
#define RESPALDO_STATUS_OK 0

// The object is not there.
#define RESPALDO_STATUS_NOT_FOUND 1

// The key is taken.
#define RESPALDO_STATUS_EXISTS 2

// Not allowed.
#define RESPALDO_STATUS_DENIED 3

// The other side does not answer, or not now.
#define RESPALDO_STATUS_UNAVAILABLE 4

// No room.
#define RESPALDO_STATUS_FULL 5

// Bytes are not what they must be.
#define RESPALDO_STATUS_CORRUPT 6

// The options or the request make no sense to this plugin.
#define RESPALDO_STATUS_INVALID 7

// The call was cancelled.
#define RESPALDO_STATUS_CANCELLED 8

// This plugin does not do that.
#define RESPALDO_STATUS_UNSUPPORTED 9

// A bug in the plugin.
#define RESPALDO_STATUS_INTERNAL 10

// A panic that the SDK caught.
#define RESPALDO_STATUS_PANIC 11

// The stream of the host failed; the host knows why.
#define RESPALDO_STATUS_STREAM 12

// Level of a line of log.
#define RESPALDO_LOG_ERROR 1

// See RESPALDO_LOG_ERROR.
#define RESPALDO_LOG_WARN 2

// See RESPALDO_LOG_ERROR.
#define RESPALDO_LOG_INFO 3

// See RESPALDO_LOG_ERROR.
#define RESPALDO_LOG_DEBUG 4

// Length of a respaldo_storage.get that goes to the object's end.
#define RESPALDO_TO_THE_END UINT64_MAX

// A text: UTF-8, of `len` bytes. Those that the host gives end with a NUL besides, which `len` does
// not count.
typedef struct respaldo_str {
    // First byte; may be null where `len` is 0.
    const char *ptr;
    // Number of bytes.
    size_t len;
} respaldo_str;

// What a plugin says of itself.
typedef struct respaldo_descriptor {
    // Size of this struct as the plugin knows it.
    uint32_t struct_size;
    // One of the kinds.
    uint32_t kind;
    // None yet.
    uint32_t flags;
    // Zero.
    uint32_t reserved;
    // `vendor.name`: lower-case letters, digits, `-`, and at least one dot.
    struct respaldo_str id;
    // For people.
    struct respaldo_str name;
    // Semantic version.
    struct respaldo_str version;
    // Who makes it.
    struct respaldo_str vendor;
    // SPDX expression.
    struct respaldo_str license;
    // One sentence.
    struct respaldo_str description;
    // JSON Schema of the options; `"writeOnly": true` marks a secret.
    struct respaldo_str options_schema;
} respaldo_descriptor;

// Why a call fails.
typedef struct respaldo_error {
    // Size of this struct as the plugin knows it.
    uint32_t struct_size;
    // One of the statuses.
    int32_t status;
    // For people: what was being done, to what, and why it failed. Never a secret.
    struct respaldo_str message;
} respaldo_error;

// What every call is given by the host.
typedef struct respaldo_call {
    // Size of this struct as the host knows it.
    uint32_t struct_size;
    // The version that was agreed.
    uint32_t api;
    // The host's own.
    void *ctx;
    // Not 0 once the call is to stop: it then cleans up and returns RESPALDO_STATUS_CANCELLED.
    int32_t (*is_cancelled)(const struct respaldo_call *call);
    // So much of so much is done (`total` 0: unknown). Also the heartbeat of a long call, as long as
    // `done` grows.
    void (*progress)(const struct respaldo_call *call, uint64_t done, uint64_t total);
    // Why the call is about to fail.
    void (*set_error)(const struct respaldo_call *call, const struct respaldo_error *error);
    // Hands over one JSON document of the result. Not 0: stop and return RESPALDO_STATUS_STREAM.
    int32_t (*emit)(const struct respaldo_call *call, struct respaldo_str json);
    // A line for the host's log. Never a secret.
    void (*log)(const struct respaldo_call *call, uint32_t level, struct respaldo_str message);
    // Copies what stands at `pointer` (RFC 6901) of `json` into `buf` with a NUL behind it: a string as
    // its text, everything else as JSON. Returns its length, -1 where there is nothing, -2 where `json` is
    // none; where the length is `cap` or more nothing was copied.
    int64_t (*json_get)(const struct respaldo_call *call,
                        struct respaldo_str json,
                        struct respaldo_str pointer,
                        char *buf,
                        size_t cap);
} respaldo_call;

// A plugin at work. The host zeroes it and sets `struct_size` before respaldo_entry.create fills it.
typedef struct respaldo_instance {
    // Size of this struct as the host knows it.
    uint32_t struct_size;
    // RESPALDO_FLAG_CONCURRENT or 0.
    uint32_t flags;
    // The plugin's own; the first argument of every call.
    void *state;
    // The interface of that id, or null. Lives as long as the instance.
    const void *(*get_interface)(void *state, struct respaldo_str id);
    // Ends it; no call is under way. May block for seconds.
    void (*destroy)(void *state);
} respaldo_instance;

// What RESPALDO_ENTRY_SYMBOL returns; lives as long as the library.
typedef struct respaldo_entry {
    // RESPALDO_ENTRY_MAGIC.
    uint32_t magic;
    // Size of this struct as the plugin knows it.
    uint32_t struct_size;
    // Oldest version of the boundary that the plugin can work with.
    uint32_t api_min;
    // Newest version of the boundary that the plugin can work with.
    uint32_t api_max;
    // Told once, before anything else, which version was agreed; may be called again.
    int32_t (*init)(uint32_t api);
    // How many plugins the library has.
    uint32_t (*count)(void);
    // The plugin of that number, from 0; null where there is none. Lives as long as the library.
    const struct respaldo_descriptor *(*descriptor)(uint32_t index);
    // Makes an instance of the plugin `id`. Reaches nothing outside yet. A storage sink may emit
    // `{"location": "..."}`: what a key is appended to so that a person finds the object.
    int32_t (*create)(const struct respaldo_call *call,
                      struct respaldo_str id,
                      struct respaldo_str options_json,
                      struct respaldo_instance *out);
} respaldo_entry;

// A stream that the host gives. `read`, or `fill` and `consume`, not both.
typedef struct respaldo_reader {
    // Size of this struct as the host knows it.
    uint32_t struct_size;
    // None yet.
    uint32_t flags;
    // The host's own.
    void *ctx;
    // Copies up to `len` bytes; returns how many, 0 at the end, less than 0 where the stream failed:
    // then clean up and return RESPALDO_STATUS_STREAM.
    int64_t (*read)(const struct respaldo_reader *reader, uint8_t *buf, size_t len);
    // Lends the bytes that come next, as `read` counts them; they stay until `consume`.
    int64_t (*fill)(const struct respaldo_reader *reader, const uint8_t **out);
    // So many of the lent bytes were taken.
    void (*consume)(const struct respaldo_reader *reader, size_t len);
} respaldo_reader;

// A stream that the host takes. `write`, or `reserve` and `commit`, not both.
typedef struct respaldo_writer {
    // Size of this struct as the host knows it.
    uint32_t struct_size;
    // None yet.
    uint32_t flags;
    // The host's own.
    void *ctx;
    // Takes all `len` bytes and returns 0, or less than 0 where the stream failed: then clean up and
    // return RESPALDO_STATUS_STREAM.
    int64_t (*write)(const struct respaldo_writer *writer, const uint8_t *buf, size_t len);
    // Lends room, and returns how much: at least 1 byte; less than 0 as `write`.
    int64_t (*reserve)(const struct respaldo_writer *writer, uint8_t **out);
    // So many bytes of the lent room were written; returns as `write`.
    int64_t (*commit)(const struct respaldo_writer *writer, size_t len);
} respaldo_writer;

// Keeps objects (RESPALDO_STORAGE_ID). Keys are relative, `/` between their parts, of ASCII letters, digits,
// `.`, `_`, `-`; no part is empty or begins with a dot; 512 bytes at most.
typedef struct respaldo_storage {
    // Size of this struct as the plugin knows it.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Reaches the store and emits one `SinkLimits`.
    int32_t (*probe)(void *state, const struct respaldo_call *call);
    // Stores the `size` bytes of `source` under `key`. RESPALDO_STATUS_OK means durable and visible; on an error,
    // cancellation or crash the key shows what it showed before. RESPALDO_STATUS_EXISTS where the key is taken.
    int32_t (*put)(void *state,
                   const struct respaldo_call *call,
                   struct respaldo_str key,
                   uint64_t size,
                   const struct respaldo_reader *source);
    // Writes `len` bytes (RESPALDO_TO_THE_END: all) from `offset` on. RESPALDO_STATUS_NOT_FOUND before the first
    // byte; RESPALDO_STATUS_CORRUPT where the object ends before the range.
    int32_t (*get)(void *state,
                   const struct respaldo_call *call,
                   struct respaldo_str key,
                   uint64_t offset,
                   uint64_t len,
                   const struct respaldo_writer *into);
    // Emits one `ObjectInfo`, or RESPALDO_STATUS_NOT_FOUND.
    int32_t (*head)(void *state, const struct respaldo_call *call, struct respaldo_str key);
    // Emits an `ObjectInfo` for every object whose key begins with `prefix`, each once, in any order.
    int32_t (*list)(void *state, const struct respaldo_call *call, struct respaldo_str prefix);
    // Removes an object; RESPALDO_STATUS_OK where there is none.
    int32_t (*remove)(void *state, const struct respaldo_call *call, struct respaldo_str key);
    // Removes leftovers of interrupted puts and emits their number. Never an object.
    int32_t (*sweep)(void *state, const struct respaldo_call *call);
} respaldo_storage;

// Says which tables provably did not change (RESPALDO_DETECTOR_ID).
typedef struct respaldo_detector {
    // Size of this struct as the plugin knows it.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Reads what must be read before the snapshot is taken, and emits it; emits nothing where there is
    // nothing. `request` is a `Target`.
    int32_t (*baseline)(void *state, const struct respaldo_call *call, struct respaldo_str request);
    // Emits a `TableVerdict` for every table that has rows, then one `Summary`. `request` is a
    // `DetectionRequest`.
    int32_t (*verdicts)(void *state, const struct respaldo_call *call, struct respaldo_str request);
} respaldo_detector;

// Writes the archive of a backup (RESPALDO_DUMPER_ID).
typedef struct respaldo_dumper {
    // Size of this struct as the plugin knows it.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Checks that it can dump this source and emits one `DumperFacts`. `request` is a `Target`.
    int32_t (*probe)(void *state, const struct respaldo_call *call, struct respaldo_str request);
    // Writes one archive in the custom format of pg_dump, as the snapshot sees the source. Offsets need not
    // be filled in, and any compression will do. `request` is a `DumpRequest`.
    int32_t (*dump)(void *state,
                    const struct respaldo_call *call,
                    struct respaldo_str request,
                    const struct respaldo_writer *into);
} respaldo_dumper;

// Looks at a sealed backup (RESPALDO_VALIDATOR_ID).
typedef struct respaldo_validator {
    // Size of this struct as the plugin knows it.
    uint32_t struct_size;
    // Zero.
    uint32_t reserved;
    // Reads `archive` and emits a `Finding` for everything that is wrong; going on after the first. A status
    // other than RESPALDO_STATUS_OK means that the check could not be made, which never counts as good. `request`
    // is a `Subject`.
    int32_t (*validate)(void *state,
                        const struct respaldo_call *call,
                        struct respaldo_str request,
                        const struct respaldo_reader *archive);
} respaldo_validator;

#endif  /* RESPALDO_PLUGIN_H */

#ifndef RESPALDO_PLUGIN_H_REST
#define RESPALDO_PLUGIN_H_REST

/* Id of respaldo_storage. */
#define RESPALDO_STORAGE_ID "respaldo.storage/1"
/* Id of respaldo_detector. */
#define RESPALDO_DETECTOR_ID "respaldo.detector/1"
/* Id of respaldo_dumper. */
#define RESPALDO_DUMPER_ID "respaldo.dumper/1"
/* Id of respaldo_validator. */
#define RESPALDO_VALIDATOR_ID "respaldo.validator/1"
/* Name of the only symbol that a plugin exports. */
#define RESPALDO_ENTRY_SYMBOL "respaldo_plugin_entry"

/* Whether the struct at `pointer` reaches as far as `field`. To be asked before a field of the host is used that
 * is newer than API 1.0. */
#define RESPALDO_HAS(pointer, type, field) \
    ((pointer)->struct_size >= offsetof(type, field) + sizeof((pointer)->field))

/* Compile with -fvisibility=hidden, so that this is the only symbol that is exported. */
#if defined(_WIN32)
#define RESPALDO_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define RESPALDO_EXPORT __attribute__((visibility("default")))
#else
#define RESPALDO_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif
/* Implemented by the plugin. */
RESPALDO_EXPORT const respaldo_entry *respaldo_plugin_entry(void);
#ifdef __cplusplus
}
#endif

#endif /* RESPALDO_PLUGIN_H_REST */
