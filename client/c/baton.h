// Baton's engine client for every language: a C ABI over client/engine/engine_client.h, where the
// meaning of each call is told. docs/design/c-abi.md says what may change in it.
//
//   baton_options options = {.struct_size = sizeof options};  // the rest zero: defaults
//   options.agent_socket = "/run/baton/attach.sock"; ...
//   baton_client* client;
//   baton_error error = {.struct_size = sizeof error};
//   if (baton_attach(&options, &client, &error) != BATON_OK) puts(error.text);
//
// Structs that may grow begin with struct_size, which the caller sets to sizeof: the library reads
// and writes no further, and what a caller does not know of has its default, which is always zero.
// In an array the struct_size of the first element is the distance of all, and equal in each.
//
// Texts are UTF-8, ended by a zero byte; NULL is the empty text. Everything that a struct points to
// is borrowed for the call alone, except for the descriptors of regions, which the client needs
// until it is detached. Calls return BATON_OK or one of BATON_E_*, and fill `error`, unless it is
// NULL. Nothing throws. All calls on a client are thread-safe, but for baton_detach; none blocks
// but baton_attach. A client does not survive fork().
#ifndef BATON_CLIENT_C_BATON_H_
#define BATON_CLIENT_C_BATON_H_

#include <stddef.h>
#include <stdint.h>

#include "baton_error.h"
#include "baton_layout.h"
#include "baton_peer.h"
#include "baton_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when a call or a field is added. What is there never changes its meaning. */
#define BATON_ABI_VERSION 1

/* The library's BATON_ABI_VERSION; a program must refuse one that is smaller than its own. */
BATON_API uint32_t baton_abi_version(void);
/* "1.2.3", and with what it was built from. */
BATON_API const char* baton_version(void);

/* --- attach --- */

#define BATON_ROLE_PREFILL 1
#define BATON_ROLE_DECODE 2

typedef struct baton_label {
  const char* key;
  const char* value;
} baton_label;

typedef struct baton_options {
  uint32_t struct_size;
  uint32_t role;
  const char* agent_socket;
  const char* server;
  const char* launch_id; /* equal on all ranks of one start */
  const char* model;
  baton_coord coord;
  const baton_spec* spec;
  const baton_buffer* buffers;
  size_t buffer_count;
  const baton_region* regions;
  size_t region_count;
  const baton_label* labels;
  size_t label_count;
  /* Other names of the server, such as the host:port that a router knows. */
  const char* const* aliases;
  size_t alias_count;
  uint32_t slots;             /* rooms open at once; 0: 1024 */
  uint32_t ring_bytes;        /* a power of two; 0: 4 MiB */
  uint32_t attach_timeout_ms; /* 0: 10 s */
  uint32_t peers;             /* peer servers watched at once; 0: 64 */
  uint8_t device_orders_writes;
  uint8_t reserved[7];
} baton_options;

/* Blocks for at most attach_timeout_ms. */
BATON_API baton_code baton_attach(const baton_options* options, baton_client** client,
                                  baton_error* error);
/* Ends the attachment; rooms that are open fail. No other call may run on the client. NULL is
 * allowed. */
BATON_API void baton_detach(baton_client* client);
/* 1 while attached to a living agent. */
BATON_API int32_t baton_attached(const baton_client* client);
BATON_API uint64_t baton_agent_epoch(const baton_client* client);

/* --- rooms --- */

/* Names an open room of a client; never valid again after baton_close. */
typedef struct baton_room {
  uint32_t slot;
  uint32_t generation;
} baton_room;

typedef struct baton_send_room {
  uint32_t struct_size;
  uint32_t time_left_ms; /* 0: 60 s */
  uint64_t room_id;
  uint64_t room_nonce;
  uint64_t total_tokens;
  uint8_t total_unknown; /* 1: it is the end of the last chunk */
  uint8_t reserved[7];
} baton_send_room;

/* The pages of one page group. */
typedef struct baton_pages {
  const int32_t* pages;
  size_t count;
} baton_pages;

/* Instead of a STATE row: the room has none. Both sides say so, or neither. */
#define BATON_NO_ROW 4294967295u

#define BATON_HOLDER_ONE 1
#define BATON_HOLDER_SPREAD 2

typedef struct baton_receive_room {
  uint32_t struct_size;
  uint32_t time_left_ms; /* 0: 60 s */
  uint64_t room_id;
  uint64_t room_nonce;
  const char* prefill_server; /* name or alias */
  uint32_t prefill_dp;
  uint8_t has_prefill_dp; /* 0: the dp rank is looked up by the room */
  uint8_t tp_holder;      /* 0: BATON_HOLDER_ONE */
  uint8_t cp_holder;
  uint8_t reserved;
  uint64_t total_tokens;
  uint64_t prefix_tokens;
  const baton_pages* pages; /* one for each page group */
  size_t page_group_count;
  const uint32_t* state_rows;
  size_t state_row_count;
  uint32_t aux_row;
  uint32_t reserved2;
} baton_receive_room;

/* A room without pages yet: the sources learn that this rank waits, and it learns of their end. */
typedef struct baton_announced_room {
  uint32_t struct_size;
  uint32_t time_left_ms; /* 0: 60 s */
  uint64_t room_id;
  uint64_t room_nonce;
  const char* prefill_server; /* name or alias */
  uint32_t prefill_dp;
  uint8_t has_prefill_dp;
  uint8_t tp_holder;
  uint8_t cp_holder;
  uint8_t reserved;
} baton_announced_room;

/* What baton_receive_room says of tokens and pages. */
typedef struct baton_room_pages {
  uint32_t struct_size;
  uint32_t aux_row;
  uint64_t total_tokens;
  uint64_t prefix_tokens;
  const baton_pages* pages;
  size_t page_group_count;
  const uint32_t* state_rows;
  size_t state_row_count;
} baton_room_pages;

typedef struct baton_chunk {
  uint32_t struct_size;
  uint8_t is_last_chunk;
  uint8_t reserved[3];
  uint64_t token_begin;
  uint64_t token_end;
  uint32_t layer_begin;
  uint32_t layer_end; /* 0: all layers from layer_begin on */
  const baton_pages* pages;
  size_t page_group_count;
  const uint32_t* state_rows;
  size_t state_row_count;
  uint32_t aux_row;
  uint32_t page_groups; /* bit g: the chunk has page group g; 0: all of them */
} baton_chunk;

#define BATON_PHASE_OPEN 0
#define BATON_PHASE_OFFERED 1
#define BATON_PHASE_DONE 2 /* this and all after it are final */
#define BATON_PHASE_FAILED 3
#define BATON_PHASE_AGENT_LOST 4
#define BATON_PHASE_CLOSED 5 /* the handle is not valid */

/* Never grows: arrays of it are filled by baton_poll. */
typedef struct baton_room_status {
  uint8_t phase;
  uint8_t released;        /* only now may the room's pages be used for something else */
  uint8_t source_complete; /* of an announced room: time for baton_provide */
  uint8_t reserved[5];
  uint64_t prefix_tokens;
} baton_room_status;

BATON_API baton_code baton_open_send(baton_client* client, const baton_send_room* send,
                                     baton_room* room, baton_error* error);
BATON_API baton_code baton_open_receive(baton_client* client, const baton_receive_room* receive,
                                        baton_room* room, baton_error* error);
/* baton_open_receive in two steps. Once the source has failed or is gone, the room fails. */
BATON_API baton_code baton_announce(baton_client* client, const baton_announced_room* announced,
                                    baton_room* room, baton_error* error);
BATON_API baton_code baton_provide(baton_client* client, baton_room room,
                                   const baton_room_pages* pages, baton_error* error);
BATON_API baton_code baton_send(baton_client* client, baton_room room, const baton_chunk* chunk,
                                baton_error* error);
BATON_API baton_code baton_abort(baton_client* client, baton_room room, const char* why,
                                 baton_error* error);
/* Aborts if the room has not ended, and gives the handle back. */
BATON_API void baton_close(baton_client* client, baton_room room);

/* What became of `count` rooms, in one call: no lock, no system call. */
BATON_API void baton_poll(const baton_client* client, const baton_room* rooms, size_t count,
                          baton_room_status* statuses);
/* Why a room failed: fills `error` and returns its code; BATON_OK for one that did not. */
BATON_API baton_code baton_cause(const baton_client* client, baton_room room, baton_error* error);
/* The total of an announced room whose sources are complete; 0 before. */
BATON_API uint64_t baton_source_tokens(const baton_client* client, baton_room room);
/* Bytes that this rank moved for the room so far. */
BATON_API uint64_t baton_bytes_moved(const baton_client* client, baton_room room);

/* --- a pod's identity --- */

typedef struct baton_pod {
  uint32_t struct_size;
  uint32_t index; /* this pod among those of its server */
  uint32_t pods;
  uint32_t reserved;
  char agent_socket[256];
  char server[256];
  char launch_id[256];
} baton_pod;

/* From the variables that deploy/k8s sets; see client/engine/pod_identity.h. */
BATON_API baton_code baton_read_pod(baton_pod* pod, baton_error* error);

/* --- the log --- */

#define BATON_LOG_INFO 0
#define BATON_LOG_WARNING 1
#define BATON_LOG_ERROR 2

/* Called from the thread that logs, which may be one of the client's; must not call into Baton. */
typedef void (*baton_log_function)(void* context, int32_t level, const char* text);
/* From now on the client's few log lines go to `function` instead of standard error; NULL turns
 * back. Returns when no call of a former function runs any more. */
BATON_API void baton_set_log(baton_log_function function, void* context);

#ifdef __cplusplus
}
#endif

#endif  // BATON_CLIENT_C_BATON_H_
