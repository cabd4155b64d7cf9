// The data path of the fake network: posting, carrying out, completing.
#include <errno.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"

namespace baton::transport::verbs {
namespace {

// Without a peer that answers, a send is tried this often.
constexpr uint32_t kTriesMax = 16;

bool Sendable(ibv_qp_state state) { return state == IBV_QPS_RTS; }
bool Reachable(ibv_qp_state state) { return state == IBV_QPS_RTR || state == IBV_QPS_RTS; }

bool CopyIn(const ibv_send_wr& wr, const FakeQp& qp, FakeSend* out) {
  if (wr.num_sge > static_cast<int>(qp.cap.max_send_sge)) return false;
  out->wr_id = wr.wr_id;
  out->opcode = wr.opcode;
  out->flags = wr.send_flags | (qp.signal_all ? IBV_SEND_SIGNALED : 0);
  out->immediate = wr.imm_data;
  out->remote = wr.wr.rdma.remote_addr;
  out->key = wr.wr.rdma.rkey;
  out->sges = wr.num_sge;
  if (wr.opcode == IBV_WR_BIND_MW) {
    out->window = As<FakeMw>(wr.bind_mw.mw);
    out->key = wr.bind_mw.rkey;
    out->bind = wr.bind_mw.bind_info;
  }
  if (wr.opcode == IBV_WR_LOCAL_INV) out->key = wr.invalidate_rkey;
  size_t inlined = 0;
  for (int i = 0; i < wr.num_sge; ++i) {
    out->sge[i] = wr.sg_list[i];
    if ((wr.send_flags & IBV_SEND_INLINE) == 0) continue;
    if (inlined + wr.sg_list[i].length > qp.cap.max_inline_data) return false;
    std::memcpy(out->inlined.data() + inlined, reinterpret_cast<void*>(wr.sg_list[i].addr),
                wr.sg_list[i].length);
    inlined += wr.sg_list[i].length;
  }
  return true;
}

}  // namespace

int FakeNet::PostSend(ibv_qp* base, ibv_send_wr* wr, ibv_send_wr** bad) {
  auto* qp = As<FakeQp>(base);
  FakeNet* net = qp->device->net;
  ++net->doorbells_;
  const bool full = net->faults_.Draw(net->faults_.full_queue);
  int error = 0;
  int taken = 0;
  for (; wr != nullptr; wr = wr->next, ++taken) {
    if (base->state != IBV_QPS_RTS && base->state != IBV_QPS_ERR) error = EINVAL;
    if (qp->send_tail - qp->send_head == qp->sends.size()) error = ENOMEM;
    if (full && taken == 3) error = ENOMEM;
    if (error == 0 && !CopyIn(*wr, *qp, &qp->sends[qp->send_tail % qp->sends.size()])) {
      error = EINVAL;
    }
    if (error != 0) break;
    ++qp->send_tail;
  }
  if (error != 0) *bad = wr;
  if (base->state == IBV_QPS_ERR) net->Flush(qp);
  if (qp->send_head != qp->send_tail) net->MakeBusy(qp);
  return error;
}

int FakeNet::PostReceive(ibv_qp* base, ibv_recv_wr* wr, ibv_recv_wr** bad) {
  auto* qp = As<FakeQp>(base);
  for (; wr != nullptr; wr = wr->next) {
    const bool full = qp->receive_tail - qp->receive_head == qp->receives.size();
    if (full || base->state == IBV_QPS_RESET) {
      *bad = wr;
      return full ? ENOMEM : EINVAL;
    }
    qp->receives[qp->receive_tail++ % qp->receives.size()] = wr->wr_id;
  }
  if (base->state == IBV_QPS_ERR) qp->device->net->Flush(qp);
  return 0;
}

int FakeNet::PollCq(ibv_cq* base, int count, ibv_wc* out) {
  auto* cq = As<FakeCq>(base);
  auto* context = As<FakeContext>(base->context);
  context->net->Progress(context->net->work_per_poll_);
  if (cq->overrun) return -1;
  if (cq->head == cq->tail && cq->has_late) {
    cq->has_late = false;
    context->net->Append(cq, cq->late);
  }
  int n = 0;
  for (; n < count && cq->head != cq->tail; ++n) out[n] = cq->ring[cq->head++ % cq->ring.size()];
  return n;
}

int FakeNet::RequestNotify(ibv_cq* base, int) {
  auto* cq = As<FakeCq>(base);
  FakeNet* net = As<FakeContext>(base->context)->net;
  cq->armed = true;
  // Nobody else would carry out what is posted: the sleeper is woken to do it.
  if (!net->busy_.empty() || cq->has_late) {
    cq->armed = false;
    eventfd_write(base->channel->fd, 1);
  }
  return 0;
}

void FakeNet::MakeBusy(FakeQp* qp) {
  if (qp->busy) return;
  qp->busy = true;
  busy_.push_back(qp);
}

void FakeNet::Progress(int work) {
  // Queue pairs take turns, so that none waits for another's large transfer.
  size_t waiting = 0;
  while (work > 0 && waiting < busy_.size()) {
    if (turn_ >= busy_.size()) turn_ = 0;
    FakeQp* qp = busy_[turn_];
    if (qp->send_head == qp->send_tail || !Sendable(qp->base.state)) {
      qp->busy = false;
      busy_.erase(busy_.begin() + static_cast<ptrdiff_t>(turn_));
      continue;
    }
    --work;
    waiting = RunFirst(qp) ? 0 : waiting + 1;
    ++turn_;
  }
}

bool FakeNet::RunFirst(FakeQp* qp) {
  const FakeSend& send = qp->sends[qp->send_head % qp->sends.size()];
  bool wait = false;
  ibv_wc_status status = faults_.Draw(faults_.fail) ? faults_.error : Execute(qp, send, &wait);
  if (wait) return false;
  qp->tries = 0;
  if (status == IBV_WC_SUCCESS && send.opcode == IBV_WR_RDMA_WRITE_WITH_IMM &&
      faults_.Draw(faults_.repeat_immediate)) {
    bool ignored = false;
    Execute(qp, send, &ignored);
  }
  ++qp->send_head;
  if (status == IBV_WC_SUCCESS) {
    if ((send.flags & IBV_SEND_SIGNALED) != 0) Complete(qp, send, status);
    return true;
  }
  if (faults_.receives_first) Flush(qp, /*sends=*/false);
  Complete(qp, send, status);
  qp->base.state = IBV_QPS_ERR;
  Flush(qp);
  return true;
}

int FakeNet::LandGhosts() {
  int landed = 0;
  for (FakeQp& ghost : ghosts_) {
    for (; ghost.send_head != ghost.send_tail; ++ghost.send_head) {
      bool wait = false;
      const FakeSend& send = ghost.sends[ghost.send_head % ghost.sends.size()];
      const bool write = send.opcode != IBV_WR_SEND_WITH_IMM;
      if (Execute(&ghost, send, &wait) != IBV_WC_SUCCESS || wait) break;
      landed += write ? 1 : 0;
    }
  }
  ghosts_.clear();
  return landed;
}

FakeQp* FakeNet::PeerOf(const FakeQp& qp) {
  const uint32_t at = qp.remote_qpn - kFirstQp;
  FakeQp* peer = at < qps_.size() ? qps_[at] : nullptr;
  if (peer == nullptr || !Reachable(peer->base.state) || peer->device->gid != qp.remote_gid ||
      peer->remote_qpn != qp.base.qp_num || peer->receive_psn != qp.send_psn ||
      !peer->device->spec->port.active || !qp.device->spec->port.active) {
    return nullptr;
  }
  return peer;
}

ibv_wc_status FakeNet::Execute(FakeQp* qp, const FakeSend& send, bool* wait) {
  if (send.opcode == IBV_WR_BIND_MW || send.opcode == IBV_WR_LOCAL_INV) return RunLocal(qp, send);
  FakeQp* peer = PeerOf(*qp);
  if (peer == nullptr) {
    *wait = ++qp->tries < kTriesMax;
    return IBV_WC_RETRY_EXC_ERR;
  }
  uint64_t bytes = 0;
  const bool reads = send.opcode == IBV_WR_RDMA_READ;
  const bool consumes = send.opcode != IBV_WR_RDMA_WRITE && !reads;
  if (reads) return ReadBytes(qp, peer, send);
  // Empty writes too.
  if (send.opcode != IBV_WR_SEND_WITH_IMM && (peer->access & IBV_ACCESS_REMOTE_WRITE) == 0) {
    return IBV_WC_REM_INV_REQ_ERR;
  }
  if (consumes && peer->receive_head == peer->receive_tail) {
    *wait = qp->rnr_retry == 7 || ++qp->tries < kTriesMax;
    return IBV_WC_RNR_RETRY_EXC_ERR;
  }
  const ibv_wc_status status = CopyBytes(qp, peer, send, &bytes);
  if (status != IBV_WC_SUCCESS) {
    if (status == IBV_WC_REM_ACCESS_ERR) {
      peer->base.state = IBV_QPS_ERR;
      Flush(peer);
    }
    return status;
  }
  return consumes ? Deliver(peer, send, bytes, wait) : IBV_WC_SUCCESS;
}

FakeMr* FakeNet::FindMr(uint32_t key) {
  const uint32_t at = key >> 8;
  FakeMr* mr = at < regions_.size() ? regions_[at] : nullptr;
  return mr != nullptr && mr->base.rkey == key ? mr : nullptr;
}

void FakeNet::EmptyBus(FakeContext* context, uint64_t down_to_bytes) {
  while (context->bus_bytes > down_to_bytes) {
    FakeContext::OnBus& late = context->bus.front();
    std::memcpy(late.to, late.bytes.data(), late.bytes.size());
    context->bus_bytes -= late.bytes.size();
    context->spare = std::move(late.bytes);
    context->bus.pop_front();
  }
}

ibv_wc_status FakeNet::ReadBytes(FakeQp* qp, FakeQp* peer, const FakeSend& send) {
  FakeMr* from = FindMr(send.key);
  const FakeMr* into = FindMr(send.sge[0].lkey);
  if ((peer->access & IBV_ACCESS_REMOTE_READ) == 0) return IBV_WC_REM_INV_REQ_ERR;
  if (from == nullptr || from->base.pd != peer->base.pd ||
      (from->access & IBV_ACCESS_REMOTE_READ) == 0) {
    return IBV_WC_REM_ACCESS_ERR;
  }
  if (into == nullptr || into->base.pd != qp->base.pd || send.sges != 1) return IBV_WC_LOC_PROT_ERR;
  std::byte* in = from->Resolve(send.remote, send.sge[0].length);
  std::byte* out = into->Resolve(send.sge[0].addr, send.sge[0].length);
  if (in == nullptr) return IBV_WC_REM_ACCESS_ERR;
  if (out == nullptr) return IBV_WC_LOC_PROT_ERR;
  if (from->dma_buf) EmptyBus(peer->device);
  std::memcpy(out, in, send.sge[0].length);
  ++reads_;
  return IBV_WC_SUCCESS;
}

ibv_wc_status FakeNet::CopyBytes(FakeQp* qp, FakeQp* peer, const FakeSend& send, uint64_t* bytes) {
  for (int i = 0; i < send.sges; ++i) *bytes += send.sge[i].length;
  if (*bytes == 0) return IBV_WC_SUCCESS;
  std::byte* out = nullptr;
  bool dma_buf = false;
  const ibv_wc_status found = FindTarget(peer, send, *bytes, &dma_buf, &out);
  if (found != IBV_WC_SUCCESS) return found;
  ++writes_;
  if (dma_buf && peer->device->spec->late_bus) {
    FakeContext* device = peer->device;
    EmptyBus(device, FakeContext::kBusBytes);
    device->spare.resize(*bytes);
    device->bus.push_back({out, std::move(device->spare)});
    device->bus_bytes += *bytes;
    out = device->bus.back().bytes.data();
  }
  if ((send.flags & IBV_SEND_INLINE) != 0) {
    std::memcpy(out, send.inlined.data(), *bytes);
    return IBV_WC_SUCCESS;
  }
  for (int i = 0; i < send.sges; ++i) {
    const ibv_sge& sge = send.sge[i];
    const FakeMr* from = FindMr(sge.lkey);
    if (from == nullptr || from->base.pd != qp->base.pd) return IBV_WC_LOC_PROT_ERR;
    const std::byte* in = from->Resolve(sge.addr, sge.length);
    if (in == nullptr) return IBV_WC_LOC_PROT_ERR;
    std::memcpy(out, in, sge.length);
    out += sge.length;
  }
  return IBV_WC_SUCCESS;
}

ibv_wc_status FakeNet::Deliver(FakeQp* peer, const FakeSend& send, uint64_t bytes, bool* wait) {
  *wait = false;
  if (peer->receive_head == peer->receive_tail) return IBV_WC_RNR_RETRY_EXC_ERR;
  ++immediates_;
  ibv_wc wc{};
  wc.wr_id = peer->receives[peer->receive_head++ % peer->receives.size()];
  wc.status = IBV_WC_SUCCESS;
  wc.opcode = send.opcode == IBV_WR_SEND_WITH_IMM ? IBV_WC_RECV : IBV_WC_RECV_RDMA_WITH_IMM;
  wc.byte_len = static_cast<uint32_t>(bytes);
  wc.imm_data = send.immediate;
  wc.wc_flags = IBV_WC_WITH_IMM;
  wc.qp_num = peer->base.qp_num;
  Push(As<FakeCq>(peer->base.recv_cq), wc);
  return IBV_WC_SUCCESS;
}

void FakeNet::Complete(FakeQp* qp, const FakeSend& send, ibv_wc_status status) {
  ibv_wc wc{};
  wc.wr_id = send.wr_id;
  wc.status = status;
  wc.opcode = IBV_WC_RDMA_WRITE;
  wc.qp_num = qp->base.qp_num;
  auto* cq = As<FakeCq>(qp->base.send_cq);
  const bool last = qp->send_head == qp->send_tail;
  if (status == IBV_WC_SUCCESS && !last && faults_.Draw(faults_.drop_send)) return;
  Push(cq, wc);
  if (status == IBV_WC_SUCCESS && faults_.Draw(faults_.repeat_send)) Push(cq, wc);
}

void FakeNet::Push(FakeCq* cq, const ibv_wc& wc) {
  // One of another queue pair may overtake; those of one keep their order.
  if (cq->has_late) {
    const bool same = cq->late.qp_num == wc.qp_num;
    const ibv_wc late = cq->late;
    cq->has_late = false;
    Append(cq, same ? late : wc);
    return Append(cq, same ? wc : late);
  }
  if (faults_.Draw(faults_.late)) {
    cq->late = wc;
    cq->has_late = true;
    return;
  }
  Append(cq, wc);
}

void FakeNet::Append(FakeCq* cq, const ibv_wc& wc) {
  ++completions_;
  if (cq->tail - cq->head == cq->ring.size()) {
    cq->overrun = true;
    ibv_async_event event{};
    event.event_type = IBV_EVENT_CQ_ERR;
    event.element.cq = &cq->base;
    return RaiseOn(As<FakeContext>(cq->base.context), event);
  }
  cq->ring[cq->tail++ % cq->ring.size()] = wc;
  if (!cq->armed) return;
  cq->armed = false;
  eventfd_write(cq->base.channel->fd, 1);
}

void FakeNet::Flush(FakeQp* qp, bool sends) {
  for (; sends && qp->send_head != qp->send_tail; ++qp->send_head) {
    const FakeSend& send = qp->sends[qp->send_head % qp->sends.size()];
    Complete(qp, send, IBV_WC_WR_FLUSH_ERR);
  }
  for (; qp->receive_head != qp->receive_tail; ++qp->receive_head) {
    ibv_wc wc{};
    wc.wr_id = qp->receives[qp->receive_head % qp->receives.size()];
    wc.status = IBV_WC_WR_FLUSH_ERR;
    wc.qp_num = qp->base.qp_num;
    Push(As<FakeCq>(qp->base.recv_cq), wc);
  }
}

}  // namespace baton::transport::verbs
