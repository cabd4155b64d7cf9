#include "transfer_agent/transport/verbs/queue_pair_setup.h"

#include <errno.h>
#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

// Words of a channel's other direction: credits, a goodbye, probes.
constexpr uint32_t kWords = 32;
// Of a loop: one for each memory.
constexpr uint32_t kLoopReads = 64;
// Of the RNR timer's table: 0.64 ms.
constexpr uint8_t kRnrTimer = 12;
constexpr uint8_t kHopLimit = 64;

uint32_t RandomSequence() {
  uint32_t value = 0;
  PCHECK(getrandom(&value, sizeof(value), 0) == sizeof(value));
  return value & 0xffffff;
}

// IBV_MTU_256 is 1, IBV_MTU_4096 is 5.
ibv_mtu MtuOf(uint32_t bytes) {
  return static_cast<ibv_mtu>(std::clamp(std::countr_zero(bytes) - 7, 1, 5));
}

absl::Status Failed(const QueuePair& qp, absl::string_view what, int error) {
  return Error(Reason::kTransport,
               absl::StrCat("verbs ", qp.rail().name(), " queue pair ", qp.qp()->qp_num, ": ", what,
                            ": ", std::strerror(error)));
}

unsigned AccessOf(QueueUse use) {
  switch (use) {
    case QueueUse::kSource:
      return 0;
    case QueueUse::kTarget:
      return IBV_ACCESS_REMOTE_WRITE;
    case QueueUse::kLoop:
      return IBV_ACCESS_REMOTE_READ;
  }
  return 0;
}

// Devices take less at once than each of their limits says, and do not say how much. False: less is
// of no use.
bool Shrink(QueueSizes* sizes) {
  if (sizes->inline_bytes > 0) {
    sizes->inline_bytes = sizes->inline_bytes > 16 ? sizes->inline_bytes / 2 : 0;
    return true;
  }
  sizes->gather /= 2;
  return sizes->gather > 0;
}

// Null with errno. `sizes`: what was tried last.
ibv_qp* Create(const Rail& rail, QueueSizes* sizes) {
  do {
    ibv_qp_init_attr init{};
    init.send_cq = init.recv_cq = rail.cq();
    init.qp_type = IBV_QPT_RC;
    init.cap.max_send_wr = sizes->sends;
    init.cap.max_recv_wr = sizes->receives;
    init.cap.max_send_sge = sizes->gather;
    init.cap.max_recv_sge = 1;
    init.cap.max_inline_data = sizes->inline_bytes;
    ibv_qp* made = rail.provider().CreateQp(rail.pd(), &init);
    sizes->inline_bytes = std::min(sizes->inline_bytes, init.cap.max_inline_data);
    if (made != nullptr) return made;
  } while (errno == EINVAL && Shrink(sizes));
  return nullptr;
}

absl::Status ToInit(const QueuePair& qp, QueueUse use) {
  ibv_qp_attr attr{};
  attr.qp_state = IBV_QPS_INIT;
  attr.port_num = static_cast<uint8_t>(qp.rail().chosen().port.port);
  attr.qp_access_flags = AccessOf(use);
  const int error = qp.rail().provider().ModifyQp(
      qp.qp(), &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
  return error == 0 ? absl::OkStatus() : Failed(qp, "to INIT", error);
}

absl::Status ToReceive(const VerbsOptions& options, const Endpoint& peer, const QueuePair& qp) {
  const ChosenRail& own = qp.rail().chosen();
  ibv_qp_attr attr{};
  attr.qp_state = IBV_QPS_RTR;
  attr.path_mtu = MtuOf(std::min(own.port.mtu_bytes, peer.mtu_bytes));
  attr.dest_qp_num = peer.queue_pair;
  attr.rq_psn = peer.packet_sequence;
  attr.max_dest_rd_atomic = 1;
  attr.min_rnr_timer = kRnrTimer;
  attr.ah_attr.port_num = static_cast<uint8_t>(own.port.port);
  attr.ah_attr.sl = options.service_level;
  if (own.port.infiniband) {
    attr.ah_attr.dlid = static_cast<uint16_t>(peer.lid);
  } else {
    attr.ah_attr.is_global = 1;
    attr.ah_attr.grh.sgid_index = static_cast<uint8_t>(own.gid.index);
    attr.ah_attr.grh.hop_limit = kHopLimit;
    attr.ah_attr.grh.traffic_class = options.traffic_class;
    std::copy(peer.gid.begin(), peer.gid.end(), attr.ah_attr.grh.dgid.raw);
  }
  const int error = qp.rail().provider().ModifyQp(
      qp.qp(), &attr,
      IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
          IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
  if (error == 0) return absl::OkStatus();
  return Failed(qp,
                absl::StrCat("no route to the peer at ", GidText(peer.gid),
                             peer.infiniband ? absl::StrCat(" lid ", peer.lid) : "",
                             " (check that both rails are on one network)"),
                error);
}

absl::Status ToSend(const VerbsOptions& options, const QueuePair& qp) {
  ibv_qp_attr attr{};
  attr.qp_state = IBV_QPS_RTS;
  attr.timeout = options.ack_timeout;
  attr.retry_cnt = options.retry_count;
  attr.rnr_retry = options.rnr_retry;
  attr.sq_psn = qp.packet_sequence;
  attr.max_rd_atomic = 1;
  const int error =
      qp.rail().provider().ModifyQp(qp.qp(), &attr,
                                    IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
                                        IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
  return error == 0 ? absl::OkStatus() : Failed(qp, "to RTS", error);
}

}  // namespace

QueueSizes SizesOf(const VerbsOptions& options, const Rail& rail, QueueUse use, uint32_t windows) {
  const uint32_t most = rail.limits().queue_max;
  QueueSizes sizes;
  if (use == QueueUse::kLoop) return {.sends = kLoopReads, .receives = 1};
  const bool source = use == QueueUse::kSource;
  sizes.sends = std::min(most, source ? options.send_queue : kWords + windows);
  sizes.receives = std::min(most, source ? kWords : options.receive_queue);
  sizes.gather =
      source ? std::clamp(options.gather_max, 1u, std::min(rail.limits().sge_max, 32u)) : 1;
  sizes.inline_bytes = source ? options.inline_bytes_max : 0;
  return sizes;
}

absl::StatusOr<std::unique_ptr<QueuePair>> MakeQueuePair(Rail* rail, const QueueSizes& wanted,
                                                         QueueUse use, uint16_t place,
                                                         uint16_t generation) {
  QueueSizes sizes = wanted;
  if (absl::Status status = rail->Reserve(sizes.completions()); !status.ok()) return status;
  ibv_qp* made = Create(*rail, &sizes);
  if (made == nullptr) {
    const int error = errno;
    rail->ReleaseWhenEmpty(sizes.completions());
    return Error(Reason::kFull,
                 absl::StrCat("verbs ", rail->name(), ": create_qp of ", sizes.sends, " sends of ",
                              wanted.gather, " elements: ", std::strerror(error)));
  }
  auto qp = std::make_unique<QueuePair>(rail, made, sizes, place, generation);
  qp->packet_sequence = RandomSequence();
  absl::Status status = ToInit(*qp, use);
  if (status.ok()) status = qp->PostReceives(sizes.receives);
  if (status.ok()) return qp;
  rail->provider().DestroyQp(made);
  rail->ReleaseWhenEmpty(sizes.completions());
  return status;
}

Endpoint EndpointOf(const QueuePair& qp) {
  const ChosenRail& chosen = qp.rail().chosen();
  return {.queue_pair = qp.qp()->qp_num,
          .packet_sequence = qp.packet_sequence,
          .gid = chosen.gid.bytes,
          .lid = chosen.port.lid,
          .infiniband = chosen.port.infiniband,
          .mtu_bytes = chosen.port.mtu_bytes,
          .receives = qp.sizes().receives,
          .rail = static_cast<uint32_t>(qp.rail().index())};
}

absl::Status Connect(const VerbsOptions& options, const Endpoint& peer, QueuePair* qp) {
  if (peer.infiniband != qp->rail().chosen().port.infiniband) {
    return Error(Reason::kNoTransport, absl::StrCat("verbs ", qp->rail().name(),
                                                    ": one end is InfiniBand, the other RoCE"));
  }
  qp->far = {.rail = peer.rail, .key_column = peer.rail, .gid = peer.gid, .lid = peer.lid};
  absl::Status status = ToReceive(options, peer, *qp);
  return status.ok() ? ToSend(options, *qp) : status;
}

}  // namespace baton::transport::verbs
