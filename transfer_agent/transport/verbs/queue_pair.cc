#include "transfer_agent/transport/verbs/queue_pair.h"

#include <arpa/inet.h>
#include <errno.h>

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
      generation_(generation),
      chain_(kChainMax),
      elements_(size_t{kChainMax} * sizes.gather),
      ledger_(sizes.sends),
      receives_(std::min(kReceiveBatch, std::max(sizes.receives / 4, 1u))) {
  for (uint32_t i = 0; i < kChainMax; ++i) {
    chain_[i].next = i + 1 < kChainMax ? &chain_[i + 1] : nullptr;
    chain_[i].sg_list = &elements_[size_t{i} * sizes.gather];
  }
  const WorkId id{.kind = WorkKind::kReceive, .generation = generation, .place = place};
  for (size_t i = 0; i < receives_.size(); ++i) {
    receives_[i].wr_id = Pack(id);
    receives_[i].next = i + 1 < receives_.size() ? &receives_[i + 1] : nullptr;
  }
}

ibv_send_wr& QueuePair::Add() {
  ibv_send_wr& wr = chain_[chained_++];
  wr.wr_id = Pack(WorkId{.kind = WorkKind::kSend,
                         .generation = generation_,
                         .place = place_,
                         .sequence = static_cast<uint32_t>(tail_)});
  wr.opcode = IBV_WR_RDMA_WRITE;
  wr.send_flags = 0;
  wr.num_sge = 0;
  ++tail_;
  return wr;
}

bool QueuePair::AddWord(WordImmediate word) {
  if (!CanAdd()) return false;
  ibv_send_wr& wr = Add();
  wr.opcode = IBV_WR_SEND_WITH_IMM;
  wr.imm_data = htonl(Pack(word));
  Charge(nullptr, 0);
  return true;
}

bool QueuePair::AddProbe() {
  if (!CanAdd()) return false;
  ibv_send_wr& wr = Add();
  wr.wr.rdma.remote_addr = 0;
  wr.wr.rdma.rkey = 0;
  Charge(nullptr, 0);
  return true;
}

absl::Status QueuePair::PostFailed(absl::string_view call, int error) const {
  return Error(Reason::kTransport, absl::StrCat("verbs ", rail_->name(), " queue pair ",
                                                qp_->qp_num, ": ", call, ": ", strerror(error)));
}

absl::Status QueuePair::Ring() {
  if (chained_ == 0) return absl::OkStatus();
  ibv_send_wr& last = chain_[chained_ - 1];
  ibv_send_wr* const next = last.next;
  last.next = nullptr;
  last.send_flags |= IBV_SEND_SIGNALED;
  ibv_send_wr* bad = nullptr;
  const int error = ibv_post_send(qp_, &chain_[first_], &bad);
  last.next = next;
  if (error == 0) {
    chained_ = first_ = 0;
    stuck_ = false;
    return absl::OkStatus();
  }
  if (error != ENOMEM || bad == nullptr) return PostFailed("post_send", error);
  first_ = static_cast<uint32_t>(bad - chain_.data());
  stuck_ = true;
  return absl::OkStatus();
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
