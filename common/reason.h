// Why something failed, from one table. A Reason travels in an absl::Status as a payload, in gRPC
// errors and control messages as baton.v1.ErrorDetail, and in the completion table as a number.
#ifndef BATON_COMMON_REASON_H_
#define BATON_COMMON_REASON_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"

namespace baton {

// X(enumerator, NAME, canonical code, what to do). Numbers are part of the shared-memory ABI:
// append only.
#define BATON_REASONS(X)                                                                         \
  X(kUnknown, UNKNOWN, kUnknown, "read the log of the rank that is named")                       \
  X(kBadSpec, BAD_SPEC, kInvalidArgument, "correct the field that is named")                     \
  X(kSpecMismatch, SPEC_MISMATCH, kFailedPrecondition,                                           \
    "start all ranks of the server with the same topology and layout")                           \
  X(kBadCoord, BAD_COORD, kOutOfRange, "give the rank coordinates inside the server's sizes")    \
  X(kUnknownServer, UNKNOWN_SERVER, kNotFound, "check the name; batonctl server list")           \
  X(kStaleIncarnation, STALE_INCARNATION, kFailedPrecondition,                                   \
    "a newer start of the server has registered: stop this one")                                 \
  X(kStaleEpoch, STALE_EPOCH, kFailedPrecondition, "the agent restarted: open the room again")   \
  X(kSettling, SETTLING, kUnavailable, "retry after one lease time")                             \
  X(kNotReady, NOT_READY, kUnavailable, "wait for the ranks that are named")                     \
  X(kRoomBound, ROOM_BOUND, kAlreadyExists, "draw a new room id or nonce")                       \
  X(kRoomInUse, ROOM_IN_USE, kAlreadyExists, "draw a new room id, or pass a nonce")              \
  X(kRoomUnknown, ROOM_UNKNOWN, kNotFound, "open the room first")                                \
  X(kTotalsDiffer, TOTALS_DIFFER, kFailedPrecondition,                                           \
    "pass the same total tokens to OpenSend and OpenReceive")                                    \
  X(kIncompatible, INCOMPATIBLE, kFailedPrecondition,                                            \
    "the two servers cannot work together: see the field that is named")                         \
  X(kPlanDiffers, PLAN_DIFFERS, kFailedPrecondition, "upgrade the older agent")                  \
  X(kBadPages, BAD_PAGES, kInvalidArgument, "pass page numbers inside the buffer that is named") \
  X(kBadChunk, BAD_CHUNK, kInvalidArgument, "send chunks in order, inside the room's tokens")    \
  X(kBadRegion, BAD_REGION, kInvalidArgument,                                                    \
    "create pools as memfd with F_SEAL_SHRINK, or hand over a dma-buf")                          \
  X(kBadMessage, BAD_MESSAGE, kInvalidArgument, "the sender is broken or of another version")    \
  X(kTooLarge, TOO_LARGE, kResourceExhausted, "stay within the limit that is named")             \
  X(kFull, FULL, kResourceExhausted, "poll, then try again")                                     \
  X(kDeadline, DEADLINE, kDeadlineExceeded, "see which rank had not finished")                   \
  X(kAborted, ABORTED, kAborted, "none: it was asked for")                                       \
  X(kPeerLost, PEER_LOST, kUnavailable, "check the agent that is named")                         \
  X(kPeerRefused, PEER_REFUSED, kFailedPrecondition, "see the cause that the peer gives")        \
  X(kEngineLost, ENGINE_LOST, kUnavailable, "the engine of the rank that is named has ended")    \
  X(kAgentLost, AGENT_LOST, kUnavailable, "the client re-attaches by itself; open rooms anew")   \
  X(kDraining, DRAINING, kUnavailable, "pick another server")                                    \
  X(kNoTransport, NO_TRANSPORT, kFailedPrecondition,                                             \
    "give both agents one transport in common (--transport)")                                    \
  X(kTransport, TRANSPORT, kUnavailable, "check the path between the two ranks")                 \
  X(kCorrupt, CORRUPT, kDataLoss, "check the memory and network of the rank that is named")      \
  X(kConfig, CONFIG, kInvalidArgument, "correct the flag that is named")                         \
  X(kSystem, SYSTEM, kInternal, "see the system error that is named")                            \
  X(kAliasHeld, ALIAS_HELD, kAlreadyExists,                                                      \
    "give each server names of its own, or stop the server that is named")

enum class Reason : uint16_t {
#define X(enumerator, name, code, help) enumerator,
  BATON_REASONS(X)
#undef X
};

// "ROOM_IN_USE".
absl::string_view ReasonName(Reason reason);
absl::string_view ReasonHelp(Reason reason);
absl::StatusCode ReasonCode(Reason reason);
// kUnknown for a name of a newer version.
Reason ReasonFromName(absl::string_view name);
// kUnknown for a number out of the table.
Reason ReasonFromNumber(uint32_t number);

// A status with the reason's canonical code and the reason (and rank) as payload.
absl::Status Error(Reason reason, absl::string_view message);
absl::Status Error(Reason reason, absl::string_view message, const RankRef& rank);

// kUnknown for a status that Error() did not make. Must not be called with an OK status.
Reason ReasonOf(const absl::Status& status);
std::optional<RankRef> RankOf(const absl::Status& status);

// SYSTEM with "what: strerror(errno)".
absl::Status SystemError(absl::string_view what, int error_number);

}  // namespace baton

#endif  // BATON_COMMON_REASON_H_
