#include "client/engine/attach_packets.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "baton/v1/attach.pb.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "planner/layout_proto.h"

namespace baton {
namespace {

v1::AttachRequest RequestOf(const EngineOptions& options) {
  v1::AttachRequest request;
  request.set_protocol_major(shm_abi::kAttachProtocolMajor);
  request.set_server(options.server);
  request.set_launch_id(options.launch_id);
  request.set_role(options.role == Role::kPrefill ? v1::ROLE_PREFILL : v1::ROLE_DECODE);
  request.mutable_coord()->set_dp(options.coord.dp);
  request.mutable_coord()->set_pp(options.coord.pp);
  request.mutable_coord()->set_cp(options.coord.cp);
  request.mutable_coord()->set_tp(options.coord.tp);
  request.set_model(options.model);
  *request.mutable_spec() = planner::ToProto(options.spec);
  *request.mutable_layout() = planner::ToProto(options.layout);
  request.set_region_count(static_cast<uint32_t>(options.regions.size()));
  request.set_slots(options.slots);
  request.set_peers(options.peers);
  request.set_ring_bytes(options.ring_bytes);
  request.mutable_labels()->insert(options.labels.begin(), options.labels.end());
  for (const std::string& alias : options.aliases) request.add_aliases(alias);
  request.set_device_orders_writes(options.device_orders_writes);
  return request;
}

AttachPacket RegionsPacket(const EngineOptions& options, size_t begin, size_t end) {
  v1::AttachRegions proto;
  AttachPacket packet;
  for (size_t i = begin; i < end; ++i) {
    v1::Region* region = proto.add_regions();
    region->set_size(options.regions[i].size);
    region->set_dma_buf(options.regions[i].dma_buf);
    region->set_name(options.regions[i].name.substr(0, shm_abi::kNameMax));
    packet.fds.push_back(options.regions[i].fd);
  }
  packet.bytes = proto.SerializeAsString();
  return packet;
}

}  // namespace

absl::StatusOr<std::vector<AttachPacket>> MakeAttachPackets(const EngineOptions& options) {
  std::vector<AttachPacket> packets;
  packets.push_back({RequestOf(options).SerializeAsString(), {}});
  const size_t count = options.regions.size();
  for (size_t i = 0; i < count; i += shm_abi::kRegionsPerPacketMax) {
    packets.push_back(
        RegionsPacket(options, i, std::min(count, i + shm_abi::kRegionsPerPacketMax)));
  }
  for (const AttachPacket& packet : packets) {
    if (packet.bytes.size() <= shm_abi::kAttachPacketMax) continue;
    return Error(
        Reason::kTooLarge,
        absl::StrCat("layout and labels take ", packet.bytes.size(), " bytes, more than the ",
                     shm_abi::kAttachPacketMax, " of a packet: describe fewer buffers"));
  }
  for (const PoolRegion& region : options.regions) {
    if (region.fd >= 0) continue;
    return Error(Reason::kBadRegion, absl::StrCat("region '", region.name, "' has no descriptor"));
  }
  return packets;
}

}  // namespace baton
