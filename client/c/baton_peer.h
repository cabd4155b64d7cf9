// Peer servers as an engine sees them; included by baton.h. The agent is asked once and tells its
// news from then on, so that looking costs less than a microsecond.
#ifndef BATON_CLIENT_C_BATON_PEER_H_
#define BATON_CLIENT_C_BATON_PEER_H_

#include <stddef.h>
#include <stdint.h>

#include "baton_error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct baton_client baton_client;

/* Names a peer that a client watches; never valid again after baton_forget_peer. */
typedef struct baton_peer {
  uint32_t peer;
  uint32_t generation;
} baton_peer;

#define BATON_PEER_UNANSWERED 0   /* the agent has not said yet, or is gone */
#define BATON_PEER_UNKNOWN 1      /* no server of that name or alias is registered */
#define BATON_PEER_NOT_READY 2    /* the error says what is missing */
#define BATON_PEER_READY 3        /* a room with it can be opened */
#define BATON_PEER_INCOMPATIBLE 4 /* a room with it would fail, of the error */
#define BATON_PEER_CLOSED 5       /* the handle is not valid */

typedef struct baton_peer_status {
  uint32_t struct_size;
  uint8_t phase;
  uint8_t draining; /* an operator takes it out of use; rooms with it still work */
  uint8_t reserved[2];
  uint32_t dp_size; /* from BATON_PEER_NOT_READY on, like what follows */
  uint32_t reserved2;
  uint64_t incarnation;
  char server[256]; /* its own name, where an alias was asked for */
} baton_peer_status;

/* By name or alias. BATON_E_FULL: forget some first. */
BATON_API baton_code baton_watch_peer(baton_client* client, const char* server, baton_peer* peer,
                                      baton_error* error);
/* Fills `why`, unless it is NULL, when the peer is not ready, and returns its code. */
BATON_API baton_code baton_look_at_peer(const baton_client* client, baton_peer peer,
                                        baton_peer_status* status, baton_error* why);
BATON_API void baton_forget_peer(baton_client* client, baton_peer peer);

#ifdef __cplusplus
}
#endif

#endif  // BATON_CLIENT_C_BATON_PEER_H_
