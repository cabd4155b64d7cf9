#include "transfer_agent/transport/verbs/queue_pair.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

// Receives that are posted again at once.
constexpr uint32_t kReceiveBatch = 16;

}  // namespace

QueuePair::QueuePair(Rail* rail, ibv_qp* qp, const QueueSizes& sizes, uint16_t place,
                     uint16_t generation)
    : rail_(rail),
      qp_(qp),
      sizes_(sizes),
      place_(place),
      id_(Pack(WorkId{.kind = WorkKind::kSend, .generation = generation, .place = place})),
      chain_(sizes.gather),
      sends_(sizes.sends),
      receives_(std::min(kReceiveBatch, std::max(sizes.receives / 4, 1u))) {
  const WorkId id{.kind = WorkKind::kReceive, .generation = generation, .place = place};
  for (size_t i = 0; i < receives_.size(); ++i) {
    receives_[i].wr_id = Pack(id);
    receives_[i].next = i + 1 < receives_.size() ? &receives_[i + 1] : nullptr;
  }
}

bool QueuePair::AddWord(WordImmediate word) {
  if (!CanAdd()) return false;
  ibv_send_wr& wr = Add();
  wr.opcode = IBV_WR_SEND_WITH_IMM;
  wr.imm_data = htonl(Pack(word));
  sends_.Charge(nullptr, 0);
  return true;
}

bool QueuePair::AddProbe() {
  if (!CanAdd()) return false;
  ibv_send_wr& wr = Add();
  wr.wr.rdma.remote_addr = 0;
  wr.wr.rdma.rkey = 0;
  sends_.Charge(nullptr, 0);
  return true;
}

absl::Status QueuePair::PostFailed(absl::string_view call, int error) const {
  return Error(Reason::kTransport, absl::StrCat("verbs ", rail_->name(), " queue pair ",
                                                qp_->qp_num, ": ", call, ": ", strerror(error)));
}

absl::Status QueuePair::PostReceives(uint32_t count) {
  while (count > 0) {
    const uint32_t batch = std::min<uint32_t>(count, receives_.size());
    ibv_recv_wr& last = receives_[batch - 1];
    ibv_recv_wr* const next = last.next;
    last.next = nullptr;
    ibv_recv_wr* bad = nullptr;
    const int error = ibv_post_recv(qp_, receives_.data(), &bad);
    last.next = next;
    if (error != 0) return PostFailed("post_recv", error);
    count -= batch;
  }
  return absl::OkStatus();
}

absl::Status QueuePair::ReceiveUsed() {
  if (++used_ < receives_.size()) return absl::OkStatus();
  granted += used_;
  return PostReceives(std::exchange(used_, 0));
}

}  // namespace baton::transport::verbs
