#include "transfer_agent/transport/verbs/message.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "baton/v1/transport.pb.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

constexpr uint32_t kBits24 = 0xffffff;
constexpr size_t kRegionsMax = 4096;
constexpr size_t kKeysMax = 1 << 16;
constexpr size_t kMemoriesMax = 1024;

absl::Status Bad(absl::string_view what, uint64_t value) {
  return Error(Reason::kBadMessage, absl::StrCat("verbs: ", what, " ", value));
}

void ToProto(const Endpoint& e, v1::VerbsEndpoint* out) {
  out->set_queue_pair(e.queue_pair);
  out->set_packet_sequence(e.packet_sequence);
  out->set_gid(e.gid.data(), e.gid.size());
  out->set_lid(e.lid);
  out->set_infiniband(e.infiniband);
  out->set_mtu_bytes(e.mtu_bytes);
  out->set_receives(e.receives);
  out->set_rail(e.rail);
}

absl::StatusOr<Endpoint> FromProto(const v1::VerbsEndpoint& in) {
  Endpoint e;
  if (in.gid().size() != e.gid.size()) return Bad("gid bytes", in.gid().size());
  if (in.queue_pair() == 0 || in.queue_pair() > kBits24) return Bad("queue pair", in.queue_pair());
  if (in.packet_sequence() > kBits24) return Bad("packet sequence", in.packet_sequence());
  if (in.lid() > 0xffff) return Bad("lid", in.lid());
  if (!std::has_single_bit(in.mtu_bytes()) || in.mtu_bytes() < 256 || in.mtu_bytes() > 4096) {
    return Bad("mtu", in.mtu_bytes());
  }
  if (in.receives() < 8 || in.receives() > (1u << 20)) return Bad("receives", in.receives());
  if (in.rail() >= kRailsMax) return Bad("rail", in.rail());
  std::copy(in.gid().begin(), in.gid().end(), e.gid.begin());
  e.queue_pair = in.queue_pair();
  e.packet_sequence = in.packet_sequence();
  e.lid = in.lid();
  e.infiniband = in.infiniband();
  e.mtu_bytes = in.mtu_bytes();
  e.receives = in.receives();
  e.rail = in.rail();
  return e;
}

void ToProto(const RemoteMemory& memory, v1::VerbsMemory* out) {
  out->set_version(kWireVersion);
  out->set_rails(memory.rails());
  out->set_windows(memory.windows());
  for (const RemoteMemory::Region& region : memory.regions()) {
    v1::VerbsRegion* to = out->add_regions();
    to->set_size(region.size);
    to->set_piece_bytes(region.piece_bytes);
    for (uint32_t key : region.keys) to->add_keys(key);
  }
}

absl::StatusOr<RemoteMemory> FromProto(const v1::VerbsMemory& in, bool keyed) {
  if (in.version() != kWireVersion) return Bad("memory key of version", in.version());
  const uint32_t rails = in.rails();
  if (rails == 0 || rails > kRailsMax) return Bad("memory key: rails", rails);
  if (in.regions_size() > static_cast<int>(kRegionsMax)) {
    return Bad("memory key: regions", in.regions_size());
  }
  std::vector<RemoteMemory::Region> regions;
  for (const v1::VerbsRegion& r : in.regions()) {
    if (!std::has_single_bit(r.piece_bytes())) return Bad("piece bytes", r.piece_bytes());
    const uint64_t pieces = r.size() / r.piece_bytes() + (r.size() % r.piece_bytes() != 0);
    if (pieces > kKeysMax || (keyed ? pieces * rails : 0) != static_cast<uint64_t>(r.keys_size())) {
      return Bad("memory key: keys", r.keys_size());
    }
    regions.push_back({r.size(), r.piece_bytes(), {r.keys().begin(), r.keys().end()}});
  }
  return RemoteMemory(rails, std::move(regions), in.windows());
}

absl::Status ParseWindows(const v1::VerbsAccept& in, std::vector<RemoteMemory>* out) {
  if (in.windows_size() > static_cast<int>(kMemoriesMax)) {
    return Bad("memories with windows:", in.windows_size());
  }
  for (const v1::VerbsMemory& memory : in.windows()) {
    if (memory.windows() == 0 || memory.rails() != static_cast<uint32_t>(in.endpoints_size())) {
      return Bad("windows over queue pairs:", memory.rails());
    }
    absl::StatusOr<RemoteMemory> parsed = FromProto(memory, /*keyed=*/true);
    if (!parsed.ok()) return parsed.status();
    out->push_back(*std::move(parsed));
  }
  return absl::OkStatus();
}

template <typename Message>
std::string Encode(const Greeting& greeting) {
  Message message;
  message.set_version(kWireVersion);
  message.set_nonce(greeting.nonce);
  for (const Endpoint& e : greeting.endpoints) ToProto(e, message.add_endpoints());
  if constexpr (requires { message.avoid_rails(); }) {
    for (uint32_t rail : greeting.avoid_rails) message.add_avoid_rails(rail);
  }
  if constexpr (requires { message.windows(); }) {
    for (const RemoteMemory& memory : greeting.windows) ToProto(memory, message.add_windows());
  }
  return message.SerializeAsString();
}

template <typename Message>
absl::StatusOr<Greeting> Parse(absl::string_view data) {
  Message message;
  if (!message.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    return Error(Reason::kBadMessage, "verbs: not a message of ours");
  }
  if (message.version() != kWireVersion) return Bad("version", message.version());
  const size_t count = message.endpoints_size();
  if (count == 0 || count > kQueuePairsPerChannelMax) return Bad("endpoints:", count);
  Greeting greeting;
  greeting.nonce = message.nonce();
  for (const v1::VerbsEndpoint& in : message.endpoints()) {
    absl::StatusOr<Endpoint> e = FromProto(in);
    if (!e.ok()) return e.status();
    greeting.endpoints.push_back(*e);
  }
  if constexpr (requires { message.avoid_rails(); }) {
    for (uint32_t rail : message.avoid_rails()) {
      if (rail >= kRailsMax) return Bad("rail to avoid", rail);
      greeting.avoid_rails.push_back(rail);
    }
    if (greeting.avoid_rails.size() > kRailsMax) return Bad("rails to avoid:", kRailsMax + 1);
  }
  if constexpr (requires { message.windows(); }) {
    if (absl::Status s = ParseWindows(message, &greeting.windows); !s.ok()) return s;
  }
  return greeting;
}

}  // namespace

std::string EncodeOpen(const Greeting& greeting) { return Encode<v1::VerbsOpen>(greeting); }
std::string EncodeAccept(const Greeting& greeting) { return Encode<v1::VerbsAccept>(greeting); }
absl::StatusOr<Greeting> ParseOpen(absl::string_view data) { return Parse<v1::VerbsOpen>(data); }
absl::StatusOr<Greeting> ParseAccept(absl::string_view data) {
  return Parse<v1::VerbsAccept>(data);
}

std::string EncodeMemory(const RemoteMemory& memory) {
  v1::VerbsMemory message;
  ToProto(memory, &message);
  return message.SerializeAsString();
}

absl::StatusOr<RemoteMemory> ParseMemory(absl::string_view key) {
  v1::VerbsMemory message;
  if (!message.ParseFromArray(key.data(), static_cast<int>(key.size()))) {
    return Error(Reason::kBadMessage, "verbs: memory key: not a message of ours");
  }
  return FromProto(message, /*keyed=*/message.windows() == 0);
}

}  // namespace baton::transport::verbs
