// What a call that failed says; included by baton.h.
#ifndef BATON_CLIENT_C_BATON_ERROR_H_
#define BATON_CLIENT_C_BATON_ERROR_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BATON_API __attribute__((visibility("default")))

/* A reason of docs/errors.md, plus one; numbers are never used again for another. */
typedef int32_t baton_code;
#define BATON_OK 0
#define BATON_E_UNKNOWN 1
#define BATON_E_BAD_SPEC 2
#define BATON_E_SPEC_MISMATCH 3
#define BATON_E_BAD_COORD 4
#define BATON_E_UNKNOWN_SERVER 5
#define BATON_E_STALE_INCARNATION 6
#define BATON_E_STALE_EPOCH 7
#define BATON_E_SETTLING 8
#define BATON_E_NOT_READY 9
#define BATON_E_ROOM_BOUND 10
#define BATON_E_ROOM_IN_USE 11
#define BATON_E_ROOM_UNKNOWN 12
#define BATON_E_TOTALS_DIFFER 13
#define BATON_E_INCOMPATIBLE 14
#define BATON_E_PLAN_DIFFERS 15
#define BATON_E_BAD_PAGES 16
#define BATON_E_BAD_CHUNK 17
#define BATON_E_BAD_REGION 18
#define BATON_E_BAD_MESSAGE 19
#define BATON_E_TOO_LARGE 20
#define BATON_E_FULL 21
#define BATON_E_DEADLINE 22
#define BATON_E_ABORTED 23
#define BATON_E_PEER_LOST 24
#define BATON_E_PEER_REFUSED 25
#define BATON_E_ENGINE_LOST 26
#define BATON_E_AGENT_LOST 27
#define BATON_E_DRAINING 28
#define BATON_E_NO_TRANSPORT 29
#define BATON_E_TRANSPORT 30
#define BATON_E_CORRUPT 31
#define BATON_E_CONFIG 32
#define BATON_E_SYSTEM 33
#define BATON_E_ALIAS_HELD 34

/* "ROOM_IN_USE", "OK"; "UNKNOWN" for a number that this library does not know. */
BATON_API const char* baton_code_name(baton_code code);
/* What to do about it. */
BATON_API const char* baton_code_help(baton_code code);
/* The number of a name, or that of UNKNOWN. */
BATON_API baton_code baton_code_of(const char* name);

/* (dp, pp, cp, tp): the place of a rank, or the sizes of a server. */
typedef struct baton_coord {
  uint32_t dp;
  uint32_t pp;
  uint32_t cp;
  uint32_t tp;
} baton_coord;

typedef struct baton_error {
  uint32_t struct_size;
  baton_code code;
  char text[1024]; /* cut at a character's end when longer */
  /* The rank that is to blame, where one is: `server` is empty otherwise. */
  char server[256];
  baton_coord coord;
} baton_error;

#ifdef __cplusplus
}
#endif

#endif  // BATON_CLIENT_C_BATON_ERROR_H_
