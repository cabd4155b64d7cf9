// What two agents tell each other about queue pairs and keys: proto/baton/v1/transport.proto,
// checked at the edge.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_MESSAGE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_MESSAGE_H_

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::transport::verbs {

inline constexpr uint32_t kWireVersion = 1;
inline constexpr size_t kQueuePairsPerChannelMax = 16;
inline constexpr size_t kRailsMax = 16;

struct Endpoint {
  uint32_t queue_pair = 0;
  uint32_t packet_sequence = 0;
  GidBytes gid{};
  uint32_t lid = 0;
  bool infiniband = false;
  uint32_t mtu_bytes = 1024;
  uint32_t receives = 0;
  uint32_t rail = 0;
};

// Memory of a rank elsewhere. Addresses are offsets into its regions.
class RemoteMemory {
 public:
  struct Region {
    uint64_t size = 0;
    uint64_t piece_bytes = 0;    // a power of two
    std::vector<uint32_t> keys;  // of piece p on rail r: [p * rails + r]
  };

  RemoteMemory(uint32_t rails, std::vector<Region> regions, uint64_t windows = 0)
      : rails_(rails), windows_(windows), regions_(std::move(regions)) {}

  // Not 0: the number under which each channel has keys of its own to it; here are none, so that
  // nothing is to be resolved.
  uint64_t windows() const { return windows_; }
  // The two are of one worker.
  static bool SameWorker(uint64_t a, uint64_t b) { return a >> 16 == b >> 16; }
  // Bytes that one write may cover from `offset` on, at most `wanted`, and their key. 0: outside.
  uint64_t Resolve(uint32_t region, uint64_t offset, uint64_t wanted, uint32_t rail,
                   uint32_t* key) const {
    if (region >= regions_.size() || rail >= rails_) return 0;
    const Region& r = regions_[region];
    if (offset >= r.size || wanted > r.size - offset) return 0;
    const uint64_t piece = offset >> std::countr_zero(r.piece_bytes);
    *key = r.keys[piece * rails_ + rail];
    const uint64_t left = (piece + 1) * r.piece_bytes - offset;
    return wanted < left ? wanted : left;
  }
  uint32_t rails() const { return rails_; }
  const std::vector<Region>& regions() const { return regions_; }

 private:
  const uint32_t rails_;
  const uint64_t windows_;
  const std::vector<Region> regions_;
};

struct Greeting {
  uint64_t nonce = 0;
  std::vector<Endpoint> endpoints;
  // Of an open: rails of the target that it had better not use.
  std::vector<uint32_t> avoid_rails = {};
  // Of an accept: keys of this channel alone, those of queue pair q in the place of rail q.
  std::vector<RemoteMemory> windows = {};
};

std::string EncodeOpen(const Greeting& greeting);
std::string EncodeAccept(const Greeting& greeting);
// BAD_MESSAGE names the field.
absl::StatusOr<Greeting> ParseOpen(absl::string_view data);
absl::StatusOr<Greeting> ParseAccept(absl::string_view data);

std::string EncodeMemory(const RemoteMemory& memory);
absl::StatusOr<RemoteMemory> ParseMemory(absl::string_view key);

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_MESSAGE_H_
