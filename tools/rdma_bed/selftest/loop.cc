#include "tools/rdma_bed/selftest/loop.h"

#include <sched.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace baton::bed {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr int kAccess = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_MW_BIND;

void Must(bool done, const char* call) {
  if (done) return;
  std::fprintf(stderr, "%s: %s\n", call, std::strerror(errno));
  std::abort();
}

// RoCE: an IPv4 address as an IPv6 one.
bool IsMapped(const ibv_gid& gid) {
  static constexpr uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(gid.raw, kPrefix, sizeof(kPrefix)) == 0;
}

}  // namespace

std::vector<std::string> DeviceNames() {
  int count = 0;
  ibv_device** list = ibv_get_device_list(&count);
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.emplace_back(ibv_get_device_name(list[i]));
  if (list != nullptr) ibv_free_device_list(list);
  return names;
}

Loop::Loop(const std::string& device, size_t bytes, uint32_t depth) : depth_(depth) {
  Open(device);
  MakeSide(bytes, &source_);
  MakeSide(bytes, &target_);
  Connect(source_, target_);
  Connect(target_, source_);
}

Loop::~Loop() {
  for (Side* side : {&source_, &target_}) {
    ibv_destroy_qp(side->qp);
    ibv_destroy_cq(side->cq);
    ibv_dereg_mr(side->mr);
  }
  ibv_dealloc_pd(pd_);
  ibv_close_device(context_);
}

void Loop::Open(const std::string& device) {
  int count = 0;
  ibv_device** list = ibv_get_device_list(&count);
  for (int i = 0; i < count; ++i) {
    if (device == ibv_get_device_name(list[i])) context_ = ibv_open_device(list[i]);
  }
  Must(context_ != nullptr, "ibv_open_device");
  ibv_free_device_list(list);
  Must(ibv_query_port(context_, 1, &port_) == 0, "ibv_query_port");
  for (gid_index_ = 0; gid_index_ < port_.gid_tbl_len; ++gid_index_) {
    if (ibv_query_gid(context_, 1, gid_index_, &gid_) == 0 && IsMapped(gid_)) break;
  }
  Must(gid_index_ < port_.gid_tbl_len, "looking for a GID with an IPv4 address");
  pd_ = ibv_alloc_pd(context_);
  Must(pd_ != nullptr, "ibv_alloc_pd");
}

void Loop::MakeSide(size_t bytes, Side* side) {
  side->buffer.reset(static_cast<uint8_t*>(std::aligned_alloc(kPageBytes, bytes)));
  Must(side->buffer != nullptr, "aligned_alloc");
  std::memset(side->buffer.get(), 0, bytes);
  side->mr = ibv_reg_mr(pd_, side->buffer.get(), bytes, kAccess);
  Must(side->mr != nullptr, "ibv_reg_mr");
  side->cq = ibv_create_cq(context_, static_cast<int>(2 * depth_), nullptr, nullptr, 0);
  Must(side->cq != nullptr, "ibv_create_cq");
  ibv_qp_init_attr attr{};
  attr.send_cq = side->cq;
  attr.recv_cq = side->cq;
  attr.qp_type = IBV_QPT_RC;
  attr.cap = {depth_, depth_, 1, 1, 0};
  side->qp = ibv_create_qp(pd_, &attr);
  Must(side->qp != nullptr, "ibv_create_qp");
}

void Loop::Connect(const Side& side, const Side& peer) {
  ibv_qp_attr attr{};
  attr.qp_state = IBV_QPS_INIT;
  attr.port_num = 1;
  attr.qp_access_flags = IBV_ACCESS_REMOTE_WRITE;
  Must(ibv_modify_qp(side.qp, &attr,
                     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS) == 0,
       "ibv_modify_qp to INIT");
  attr = {};
  attr.qp_state = IBV_QPS_RTR;
  attr.path_mtu = port_.active_mtu;
  attr.dest_qp_num = peer.qp->qp_num;
  attr.rq_psn = peer.qp->qp_num & 0xfff;
  attr.min_rnr_timer = 1;
  attr.ah_attr.is_global = 1;
  attr.ah_attr.port_num = 1;
  attr.ah_attr.grh.dgid = gid_;
  attr.ah_attr.grh.sgid_index = gid_index_;
  attr.ah_attr.grh.hop_limit = 64;
  Must(ibv_modify_qp(side.qp, &attr,
                     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                         IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER) == 0,
       "ibv_modify_qp to RTR");
  attr = {};
  attr.qp_state = IBV_QPS_RTS;
  attr.timeout = 10;  // 4 ms
  attr.retry_cnt = 3;
  attr.rnr_retry = 3;
  attr.sq_psn = side.qp->qp_num & 0xfff;
  Must(ibv_modify_qp(side.qp, &attr,
                     IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
                         IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC) == 0,
       "ibv_modify_qp to RTS");
}

Loop::Request Loop::Write(size_t from, size_t to, uint32_t bytes) {
  Request request;
  request.sge = {reinterpret_cast<uint64_t>(source() + from), bytes, source_.mr->lkey};
  request.wr.opcode = IBV_WR_RDMA_WRITE;
  request.wr.send_flags = IBV_SEND_SIGNALED;
  request.wr.wr.rdma.remote_addr = reinterpret_cast<uint64_t>(target() + to);
  request.wr.wr.rdma.rkey = target_.mr->rkey;
  return request;
}

void Loop::Post(Request request) {
  std::vector<Request> alone = {request};
  PostChain(&alone);
}

void Loop::PostChain(std::vector<Request>* requests) {
  for (size_t i = 0; i < requests->size(); ++i) {
    Request& request = (*requests)[i];
    request.wr.sg_list = &request.sge;
    request.wr.num_sge = 1;
    request.wr.next = i + 1 < requests->size() ? &(*requests)[i + 1].wr : nullptr;
  }
  ibv_send_wr* bad = nullptr;
  Must(ibv_post_send(source_.qp, &requests->front().wr, &bad) == 0, "ibv_post_send");
}

void Loop::PostReceive() {
  ibv_recv_wr wr{};
  ibv_recv_wr* bad = nullptr;
  Must(ibv_post_recv(target_.qp, &wr, &bad) == 0, "ibv_post_recv");
}

ibv_wc Loop::Await(ibv_cq* cq) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  ibv_wc wc{};
  while (std::chrono::steady_clock::now() < deadline) {
    int count = ibv_poll_cq(cq, 1, &wc);
    Must(count >= 0, "ibv_poll_cq");
    if (count == 1) return wc;
    sched_yield();
  }
  wc.wr_id = ~uint64_t{0};
  wc.status = IBV_WC_GENERAL_ERR;
  return wc;
}

}  // namespace baton::bed
