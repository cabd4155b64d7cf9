#include "transfer_agent/attach/handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/utf8.h"
#include "planner/plan.h"
#include "transfer_agent/attach/ring_memory.h"

namespace baton::attach {
namespace {

absl::StatusOr<UniqueFd> Duplicate(int fd, absl::string_view what) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return SystemError(absl::StrCat("duplicating ", what), errno);
  return copy;
}

absl::Status CheckPacket(const Packet& packet) {
  if (packet.truncated) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("a packet is longer than ", shm_abi::kAttachPacketMax, " bytes"));
  }
  if (packet.fds_lost) {
    return Error(Reason::kSystem,
                 "descriptors were lost on the way: the agent may open no more files (raise its "
                 "RLIMIT_NOFILE), or the packet carried more than 64");
  }
  return absl::OkStatus();
}

std::string SerializeReply(Epoch epoch, const std::string& version, const AttachRequest& request) {
  v1::AttachReply reply;
  reply.set_epoch(epoch.value());
  reply.set_ring_bytes(request.ring_bytes);
  reply.set_slots(request.slots);
  reply.set_agent_version(version);
  return reply.SerializeAsString();
}

size_t DescriptorsOf(const v1::Region& region) {
  const size_t of_allocation = region.has_gpu() && region.gpu().ipc_handle().empty() ? 1 : 0;
  return (region.no_dma_buf() ? 0 : 1) + of_allocation;
}

// What the engine says of its GPU memory; the driver checks it when the region is mapped.
absl::StatusOr<DeviceShare> ShareOf(const v1::Region& region) {
  DeviceShare share;
  if (!region.has_gpu()) {
    if (!region.no_dma_buf()) return share;
    return Error(Reason::kBadRegion, "came without a descriptor and without a handle of its GPU");
  }
  const v1::DeviceShare& gpu = region.gpu();
  if (!region.dma_buf()) {
    return Error(Reason::kBadRegion, "is announced as host memory and has a handle of a GPU");
  }
  if (gpu.device().size() != share.device.size() ||
      (!gpu.ipc_handle().empty() && gpu.ipc_handle().size() != share.ipc.size())) {
    return Error(Reason::kBadRegion,
                 absl::StrCat("its GPU is named in ", gpu.device().size(), " bytes, not ",
                              share.device.size(), ", or its handle is of ",
                              gpu.ipc_handle().size(), ", not ", share.ipc.size()));
  }
  if (gpu.offset() > gpu.allocation_bytes() ||
      region.size() > gpu.allocation_bytes() - gpu.offset()) {
    return Error(Reason::kBadRegion,
                 absl::StrCat(region.size(), " bytes from ", gpu.offset(),
                              " on do not lie in its allocation of ", gpu.allocation_bytes()));
  }
  share.kind = gpu.ipc_handle().empty() ? DeviceShare::Kind::kVmm : DeviceShare::Kind::kIpc;
  std::memcpy(share.device.data(), gpu.device().data(), share.device.size());
  std::memcpy(share.ipc.data(), gpu.ipc_handle().data(), gpu.ipc_handle().size());
  share.offset = gpu.offset();
  share.allocation_bytes = gpu.allocation_bytes();
  return share;
}

}  // namespace

std::optional<RankRef> Handshake::rank() const {
  if (!request_.has_value()) return std::nullopt;
  return request_->rank;
}

absl::Status Handshake::Named(const absl::Status& status) const {
  if (status.ok() || !request_.has_value() || RankOf(status).has_value()) return status;
  return Error(ReasonOf(status), status.message(), request_->rank);
}

absl::StatusOr<bool> Handshake::Take(Packet packet) {
  if (absl::Status s = TakePacket(std::move(packet)); !s.ok()) return Named(s);
  return regions_.size() == request_->region_count;
}

absl::Status Handshake::TakePacket(Packet packet) {
  if (absl::Status s = CheckPacket(packet); !s.ok()) return s;
  if (request_.has_value()) return TakeRegions(std::move(packet));
  if (!packet.fds.empty()) {
    return Error(Reason::kBadMessage, "the first packet carries descriptors");
  }
  absl::StatusOr<AttachRequest> request = ParseAttachRequest(packet.bytes);
  if (!request.ok()) return request.status();
  request_ = *std::move(request);
  return absl::OkStatus();
}

absl::Status Handshake::CheckPool(uint64_t size, bool dma_buf) const {
  if (size > limits_.pool_bytes_max || pool_bytes_ + size > limits_.pool_bytes_max) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("pools of more than ", limits_.pool_bytes_max, " bytes in all"));
  }
  if (limits_.pinnable_bytes.has_value() && !dma_buf &&
      host_bytes_ + size > *limits_.pinnable_bytes) {
    return Error(Reason::kSystem,
                 absl::StrCat("host pools of ", host_bytes_ + size,
                              " bytes cannot be pinned: ", *limits_.pinnable_bytes,
                              " bytes of the agent's RLIMIT_MEMLOCK are "
                              "left (raise it with ulimit -l, or grant CAP_IPC_LOCK)"));
  }
  return absl::OkStatus();
}

absl::Status Handshake::TakeRegions(Packet packet) {
  v1::AttachRegions proto;
  if (!proto.ParseFromString(packet.bytes) || proto.regions_size() == 0) {
    return Error(Reason::kBadMessage, "a packet after the first is no AttachRegions");
  }
  size_t count = static_cast<size_t>(proto.regions_size());
  size_t wanted = 0;
  for (const v1::Region& region : proto.regions()) wanted += DescriptorsOf(region);
  if (wanted != packet.fds.size() || count > shm_abi::kRegionsPerPacketMax) {
    return Error(Reason::kBadMessage,
                 absl::StrCat(count, " regions came with ", packet.fds.size(), " descriptors",
                              wanted == count ? "" : absl::StrCat(", not ", wanted)));
  }
  if (regions_.size() + count > request_->region_count) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("more regions came than the ", request_->region_count, " announced"));
  }
  size_t used = 0;
  for (const v1::Region& region : proto.regions()) {
    absl::Status taken = TakeRegion(region, &packet.fds, &used);
    if (taken.ok()) continue;
    return Error(ReasonOf(taken),
                 absl::StrCat("region ", regions_.size(), " '",
                              CleanUtf8(region.name().substr(0, shm_abi::kNameMax)),
                              "': ", taken.message()));
  }
  return absl::OkStatus();
}

absl::Status Handshake::TakeRegion(const v1::Region& region, std::vector<UniqueFd>* fds,
                                   size_t* used) {
  absl::Status fits = CheckPool(region.size(), region.dma_buf());
  if (!fits.ok()) return fits;
  absl::StatusOr<DeviceShare> share = ShareOf(region);
  if (!share.ok()) return share.status();
  UniqueFd fd;
  if (!region.no_dma_buf()) fd = std::move((*fds)[(*used)++]);
  absl::StatusOr<MappedRegion> mapped =
      MapRegion(std::move(fd), region.size(), region.dma_buf(), request_->role);
  if (!mapped.ok()) return mapped.status();
  UniqueFd allocation;
  if (share->kind == DeviceShare::Kind::kVmm) allocation = std::move((*fds)[(*used)++]);
  mapped->SetShare(*share, std::move(allocation));
  regions_.push_back(*std::move(mapped));
  pool_bytes_ += region.size();
  if (!region.dma_buf()) host_bytes_ += region.size();
  return absl::OkStatus();
}

namespace {

// What an agent needs beside its engines' regions: the doorbell of the worker, connections of
// peers, of operators and of probes. An engine that takes the last of them takes it from all
// others.
constexpr int kDescriptorsLeft = 32;

absl::Status CheckHeadroom(int any) {
  std::vector<UniqueFd> spare;
  for (int i = 0; i < kDescriptorsLeft; ++i) {
    UniqueFd fd(fcntl(any, F_DUPFD_CLOEXEC, 0));
    if (!fd) {
      return Error(Reason::kSystem,
                   absl::StrCat("this rank's regions would leave the agent with ", i,
                                " descriptors, and it needs ", kDescriptorsLeft,
                                ": raise its RLIMIT_NOFILE, or give fewer regions"));
    }
    spare.push_back(std::move(fd));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Accepted> Handshake::Finish(Epoch epoch, const std::string& version,
                                           int agent_pidfd) {
  absl::StatusOr<Accepted> accepted = Build(epoch, version, agent_pidfd);
  if (!accepted.ok()) return Named(accepted.status());
  return accepted;
}

absl::StatusOr<Accepted> Handshake::Build(Epoch epoch, const std::string& version,
                                          int agent_pidfd) {
  std::vector<uint64_t> region_sizes;
  for (const MappedRegion& region : regions_) region_sizes.push_back(region.size());
  absl::Status fits =
      planner::ValidateLayout(request_->spec, request_->rank.coord, request_->layout, region_sizes);
  if (!fits.ok()) return fits;
  const shm_abi::TableSizes sizes{request_->slots, request_->peers};
  absl::StatusOr<NewRing> ring = MakeRing(epoch, request_->ring_bytes, sizes);
  if (!ring.ok()) return ring.status();
  absl::StatusOr<NewTable> table = MakeTable(epoch, sizes);
  if (!table.ok()) return table.status();
  UniqueFd doorbell(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!doorbell) return SystemError("eventfd", errno);
  if (absl::Status left = CheckHeadroom(doorbell.get()); !left.ok()) return left;
  absl::StatusOr<UniqueFd> bell = Duplicate(doorbell.get(), "the doorbell");
  if (!bell.ok()) return bell.status();
  absl::StatusOr<UniqueFd> pidfd = Duplicate(agent_pidfd, "the pidfd");
  if (!pidfd.ok()) return pidfd.status();

  Accepted accepted;
  accepted.rank = std::make_unique<AttachedRank>();
  MoveTo(accepted.rank.get());
  accepted.rank->ring = std::move(ring->reader);
  accepted.rank->table = std::move(table->writer);
  accepted.rank->doorbell = std::move(doorbell);
  accepted.answer.packet = SerializeReply(epoch, version, *request_);
  std::vector<UniqueFd>& fds = accepted.answer.fds;
  fds.push_back(std::move(ring->for_engine));
  fds.push_back(std::move(table->for_engine));
  fds.push_back(*std::move(bell));
  fds.push_back(*std::move(pidfd));
  return accepted;
}

// The name stays here, for the log.
void Handshake::MoveTo(AttachedRank* rank) {
  rank->rank = request_->rank;
  rank->role = request_->role;
  rank->launch_id = std::move(request_->launch_id);
  rank->model = std::move(request_->model);
  rank->spec = std::move(request_->spec);
  rank->layout = std::move(request_->layout);
  rank->labels = std::move(request_->labels);
  rank->aliases = std::move(request_->aliases);
  rank->device_orders_writes = request_->device_orders_writes;
  rank->regions = std::move(regions_);
}

AttachAnswer Refusal(const absl::Status& cause, const std::string& version) {
  v1::AttachReply reply;
  *reply.mutable_cause() = ToDetail(cause);
  reply.set_agent_version(version);
  return {reply.SerializeAsString(), {}};
}

}  // namespace baton::attach
