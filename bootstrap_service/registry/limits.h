// What bounds the registry. Everything a client can make it hold has a limit here.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_LIMITS_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_LIMITS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/clock.h"

namespace baton::registry {

struct Limits {
  Duration lease = std::chrono::seconds(3);
  // How long after its own start the registry issues no incarnation: one lease time, or zero where
  // the service is known never to have run before.
  Duration settle = std::chrono::seconds(3);
  // A server without a live rank is forgotten after this many lease times.
  uint32_t forget_after_leases = 10;

  uint32_t servers = 4096;
  uint32_t ranks_per_server = 65536;
  uint32_t ranks = 262144;           // slots of all servers together
  uint64_t spec_bytes = 32 << 20;    // of all servers together
  uint32_t remembered_names = 8192;  // names with their incarnations, of servers here and gone
  uint32_t changes = 65536;          // kept for watchers that resume

  uint32_t bindings = 262144;
  uint32_t waiting_lookups = 65536;
  uint32_t rooms_per_request = 4096;
  Duration binding_life = std::chrono::minutes(2);
  Duration binding_life_max = std::chrono::hours(1);
  // Of a room that is over: a decode rank that comes late learns its dp rank still, and so how the
  // room ended.
  Duration binding_linger = std::chrono::seconds(30);
};

// Fixed limits of single fields.
inline constexpr size_t kNameBytesMax = 128;
inline constexpr size_t kLaunchIdBytesMax = 256;
inline constexpr size_t kModelBytesMax = 256;
inline constexpr size_t kAddressBytesMax = 256;
inline constexpr size_t kAliasesMax = 16;  // of one server
inline constexpr size_t kLabelsMax = 64;
inline constexpr size_t kLabelKeyBytesMax = 128;
inline constexpr size_t kLabelValueBytesMax = 256;
inline constexpr size_t kSpecBytesMax = 256 << 10;
inline constexpr size_t kMissingListed = 64;
// Launches of one name that are remembered so that a late one of them is refused.
inline constexpr size_t kLaunchesRemembered = 8;
// Epochs of one slot that are remembered so that a woken agent does not replace its successor.
inline constexpr size_t kEpochsRemembered = 16;
// Unix milliseconds are below this for 8 900 years; a claim above it is no incarnation of ours.
inline constexpr uint64_t kIncarnationMax = uint64_t{1} << 48;

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_LIMITS_H_
