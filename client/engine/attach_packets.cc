#include "client/engine/attach_packets.h"

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

v1::Region ToProto(const PoolRegion& given) {
  v1::Region region;
  region.set_size(given.size);
  region.set_dma_buf(given.dma_buf);
  region.set_name(given.name.substr(0, shm_abi::kNameMax));
  if (given.gpu.kind == DeviceShare::Kind::kNone) return region;
  const DeviceShare& share = given.gpu;
  region.set_no_dma_buf(given.fd < 0);
  v1::DeviceShare* gpu = region.mutable_gpu();
  gpu->set_device(share.device.data(), share.device.size());
  if (share.kind == DeviceShare::Kind::kIpc) {
    gpu->set_ipc_handle(share.ipc.data(), share.ipc.size());
  }
  gpu->set_offset(share.offset);
  gpu->set_allocation_bytes(share.allocation_bytes);
  return region;
}

std::vector<int> DescriptorsOf(const PoolRegion& region) {
  std::vector<int> fds;
  if (region.fd >= 0) fds.push_back(region.fd);
  if (region.gpu.kind == DeviceShare::Kind::kVmm) fds.push_back(region.gpu.fd);
  return fds;
}

// From region `begin` on, as many as one packet may have. Moves `begin` on.
AttachPacket RegionsPacket(const EngineOptions& options, size_t* begin) {
  v1::AttachRegions proto;
  AttachPacket packet;
  for (; *begin < options.regions.size(); ++*begin) {
    const PoolRegion& region = options.regions[*begin];
    const std::vector<int> fds = DescriptorsOf(region);
    if (packet.fds.size() + fds.size() > shm_abi::kRegionsPerPacketMax ||
        proto.regions_size() == static_cast<int>(shm_abi::kRegionsPerPacketMax)) {
      break;
    }
    *proto.add_regions() = ToProto(region);
    packet.fds.insert(packet.fds.end(), fds.begin(), fds.end());
  }
  packet.bytes = proto.SerializeAsString();
  return packet;
}

}  // namespace

absl::StatusOr<std::vector<AttachPacket>> MakeAttachPackets(const EngineOptions& options) {
  std::vector<AttachPacket> packets;
  packets.push_back({RequestOf(options).SerializeAsString(), {}});
  for (size_t begin = 0; begin < options.regions.size();) {
    packets.push_back(RegionsPacket(options, &begin));
  }
  for (const AttachPacket& packet : packets) {
    if (packet.bytes.size() <= shm_abi::kAttachPacketMax) continue;
    return Error(
        Reason::kTooLarge,
        absl::StrCat("layout and labels take ", packet.bytes.size(), " bytes, more than the ",
                     shm_abi::kAttachPacketMax, " of a packet: describe fewer buffers"));
  }
  for (const PoolRegion& region : options.regions) {
    if (!DescriptorsOf(region).empty() || region.gpu.kind == DeviceShare::Kind::kIpc) continue;
    return Error(Reason::kBadRegion, absl::StrCat("region '", region.name, "' has no descriptor"));
  }
  return packets;
}

}  // namespace baton
