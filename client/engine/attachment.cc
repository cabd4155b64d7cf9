#include "client/engine/attachment.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "baton/v1/attach.pb.h"
#include "client/engine/attach_packets.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/shm_abi/ring_layout.h"
#include "common/shm_abi/table_memory.h"
#include "common/unix_socket.h"

namespace baton {
namespace {

constexpr uint32_t kSliceMs = 50;
constexpr uint32_t kRetryMs = 20;

// One try to attach, within a deadline.
class Attempt {
 public:
  Attempt(const EngineOptions& options, TimePoint deadline, const KeepGoing& keep_going)
      : options_(options), deadline_(deadline), keep_going_(keep_going) {}

  absl::StatusOr<Attachment> Run(const std::vector<AttachPacket>& packets);

 private:
  absl::Status WaitFor(int fd, short events) const;
  absl::Status SendAll(const std::vector<AttachPacket>& packets) const;
  absl::StatusOr<Packet> Reply() const;
  absl::StatusOr<Attachment> Check(Packet packet);
  absl::Status CheckMemory(int ring, int table, uint64_t epoch, Mapping* mapped) const;

  const EngineOptions& options_;
  const TimePoint deadline_;
  const KeepGoing& keep_going_;
  UniqueFd socket_;
};

absl::Status Attempt::WaitFor(int fd, short events) const {
  while (keep_going_()) {
    uint32_t left = MillisLeft(deadline_, Monotonic::now(), kSliceMs);
    if (left == 0) {
      return Error(Reason::kDeadline,
                   "the agent took the connection but did not answer in time: "
                   "see its log, or give attach_timeout more");
    }
    pollfd wait = {fd, events, 0};
    int ready = poll(&wait, 1, static_cast<int>(left));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return SystemError("poll", errno);
  }
  return Error(Reason::kAborted, "the client is being destroyed");
}

absl::Status Attempt::SendAll(const std::vector<AttachPacket>& packets) const {
  for (const AttachPacket& packet : packets) {
    absl::Status sent = SendPacket(socket_.get(), packet.bytes, packet.fds);
    while (absl::IsUnavailable(sent) && ReasonOf(sent) == Reason::kUnknown) {
      if (absl::Status s = WaitFor(socket_.get(), POLLOUT); !s.ok()) return s;
      sent = SendPacket(socket_.get(), packet.bytes, packet.fds);
    }
    // The agent has refused us half way: its answer says why.
    if (ReasonOf(sent) == Reason::kPeerLost) return absl::OkStatus();
    if (!sent.ok()) return sent;
  }
  return absl::OkStatus();
}

absl::StatusOr<Packet> Attempt::Reply() const {
  int resets = 0;
  while (true) {
    if (absl::Status s = WaitFor(socket_.get(), POLLIN); !s.ok()) return s;
    auto packet = ReceivePacket(socket_.get(), shm_abi::kAttachPacketMax, shm_abi::kReplyFds);
    // The kernel reports a reset (the agent closed with packets of ours unread) before it hands out
    // the refusal that was sent first.
    if (ReasonOf(packet.status()) == Reason::kPeerLost && resets++ == 0) continue;
    if (!packet.ok()) return packet.status();
    if (!packet->has_value()) continue;
    if (!(*packet)->end) return **std::move(packet);
    return Error(Reason::kPeerLost, "the agent closed the connection without an answer");
  }
}

absl::Status Attempt::CheckMemory(int ring, int table, uint64_t epoch, Mapping* mapped) const {
  const uint64_t ring_bytes = shm_abi::kRingDataOffset + options_.ring_bytes;
  const uint64_t table_bytes = shm_abi::TableBytes(options_.slots, options_.peers);
  if (absl::Status s = CheckSealed(ring, ring_bytes); !s.ok()) {
    return Error(ReasonOf(s), absl::StrCat("the agent's ring: ", s.message()));
  }
  if (absl::Status s = CheckSealed(table, table_bytes); !s.ok()) {
    return Error(ReasonOf(s), absl::StrCat("the agent's completion table: ", s.message()));
  }
  absl::StatusOr<Mapping> map = MapShared(ring, ring_bytes, Access::kReadWrite);
  if (!map.ok()) return map.status();
  absl::StatusOr<Mapping> look = MapShared(table, table_bytes, Access::kRead);
  if (!look.ok()) return look.status();
  const auto* ring_header = reinterpret_cast<const shm_abi::RingHeader*>(map->base());
  const shm_abi::TableHeader* table_header = shm_abi::HeaderOf(look->base());
  bool ring_good = ring_header->magic == shm_abi::kRingMagic && ring_header->epoch == epoch &&
                   ring_header->data_bytes == options_.ring_bytes;
  bool table_good = table_header->magic == shm_abi::kTableMagic && table_header->epoch == epoch &&
                    table_header->slots == options_.slots &&
                    table_header->peers == options_.peers &&
                    table_header->slot_bytes == sizeof(shm_abi::TableSlot);
  if (!ring_good || !table_good) {
    return Error(Reason::kBadMessage,
                 "ring or table are not of this library's version: run agent "
                 "and engine library of one version");
  }
  *mapped = *std::move(map);
  return absl::OkStatus();
}

absl::StatusOr<Attachment> Attempt::Check(Packet packet) {
  v1::AttachReply reply;
  if (packet.truncated || !reply.ParseFromString(packet.bytes)) {
    return Error(Reason::kBadMessage, "the agent's answer is no AttachReply");
  }
  if (reply.has_cause()) return FromDetail(reply.cause());
  if (packet.fds_lost) {
    return Error(Reason::kSystem, "this process may open no more files: raise its RLIMIT_NOFILE");
  }
  if (packet.fds.size() != shm_abi::kReplyFds) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("the agent's answer came with ", packet.fds.size(), " descriptors"));
  }
  Attachment got;
  got.epoch = Epoch(reply.epoch());
  absl::Status good =
      CheckMemory(packet.fds[0].get(), packet.fds[1].get(), reply.epoch(), &got.ring);
  if (!good.ok()) return good;
  got.table = std::move(packet.fds[1]);
  got.doorbell = std::move(packet.fds[2]);
  got.pidfd = std::move(packet.fds[3]);
  got.connection = std::move(socket_);
  return got;
}

absl::StatusOr<Attachment> Attempt::Run(const std::vector<AttachPacket>& packets) {
  absl::StatusOr<UniqueFd> socket = ConnectSeqPacket(options_.agent_socket);
  if (!socket.ok()) return socket.status();
  socket_ = *std::move(socket);
  if (absl::Status s = SendAll(packets); !s.ok()) return s;
  absl::StatusOr<Packet> reply = Reply();
  if (!reply.ok()) return reply.status();
  return Check(*std::move(reply));
}

// Nobody listens yet, or the agent is there but not ready for this rank.
bool WorthAnotherTry(const absl::Status& status) {
  Reason reason = ReasonOf(status);
  return absl::IsUnavailable(status) || reason == Reason::kFull;
}

absl::StatusOr<Attachment> Repeat(const EngineOptions& options, TimePoint deadline,
                                  const KeepGoing& keep_going) {
  absl::StatusOr<std::vector<AttachPacket>> packets = MakeAttachPackets(options);
  if (!packets.ok()) return packets.status();
  while (true) {
    absl::StatusOr<Attachment> got = Attempt(options, deadline, keep_going).Run(*packets);
    if (got.ok() || !WorthAnotherTry(got.status())) return got;
    if (!keep_going() || MillisLeft(deadline, Monotonic::now()) <= kRetryMs) return got;
    poll(nullptr, 0, kRetryMs);
  }
}

}  // namespace

absl::StatusOr<Attachment> AttachToAgent(const EngineOptions& options, TimePoint deadline,
                                         const KeepGoing& keep_going) {
  absl::StatusOr<Attachment> got = Repeat(options, deadline, keep_going);
  if (got.ok()) return got;
  const absl::Status& cause = got.status();
  RankRef rank{options.server, options.coord};
  // A plain error means that nobody listens there.
  bool nobody = ReasonOf(cause) == Reason::kUnknown && absl::IsUnavailable(cause);
  return Error(nobody ? Reason::kDeadline : ReasonOf(cause),
               absl::StrCat("attaching ", ToString(rank), " at '", options.agent_socket,
                            "': ", cause.message(),
                            nobody ? " (start baton-agent with this attach socket)" : ""),
               rank);
}

}  // namespace baton
