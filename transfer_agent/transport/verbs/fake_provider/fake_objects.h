// The objects of a fake device. Each begins with the library's own struct, whose pointer callers
// hold. Used by fake_net.h only.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAKE_OBJECTS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAKE_OBJECTS_H_

#include <infiniband/verbs.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/unique_fd.h"
#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::transport::verbs {

class FakeNet;

// Of the library's struct, which is the first member.
template <typename Fake, typename Base>
Fake* As(Base* base) {
  return reinterpret_cast<Fake*>(base);
}

inline constexpr uint32_t kFirstQp = 17;
inline constexpr uint32_t kFakeSgeMax = 16;
inline constexpr uint32_t kFakeInlineMax = 64;
// Keys of windows begin here, those of registrations at 0: key >> 8.
inline constexpr uint32_t kFirstWindow = 1 << 23;

// What a test gives a device.
struct FakeDeviceSpec {
  std::string name = "fake0";
  PortListing port;  // device and gids are filled in when empty
  DeviceLimits limits = {.sge_max = kFakeSgeMax,
                         .queue_max = 4096,
                         .completions_max = 1 << 16,
                         .region_bytes_max = uint64_t{1} << 40,
                         .message_bytes_max = uint64_t{1} << 30,
                         .relaxed_ordering = true,
                         .memory_windows = true};
  bool dma_buf = true;
  // What create_qp takes, whatever the limits say.
  uint32_t inline_max = kFakeInlineMax;
  uint32_t elements_max = kFakeSgeMax;
  // Neither opens nor registers: broken from the start, or since its IBV_EVENT_DEVICE_FATAL.
  bool broken = false;
  // What is written to a dma-buf waits on the bus until something is read back from there.
  bool late_bus = true;
};

struct FakeContext {
  ibv_context base;  // first
  FakeNet* net = nullptr;
  FakeDeviceSpec* spec = nullptr;
  GidBytes gid{};
  UniqueFd async;
  std::deque<ibv_async_event> events;
  // Written to dma-bufs and not there yet: at most kBusBytes and one write more.
  struct OnBus {
    std::byte* to = nullptr;
    std::vector<std::byte> bytes;
  };
  static constexpr uint64_t kBusBytes = 64 << 20;
  std::deque<OnBus> bus;
  uint64_t bus_bytes = 0;
  std::vector<std::byte> spare;  // of a write that has landed: large ones are dear to allocate
  int unacknowledged = 0;
  int objects = 0;
};

struct FakeMr {
  ibv_mr base;
  std::byte* at = nullptr;
  uint64_t iova = 0;
  unsigned access = 0;
  int windows = 0;  // bound to it
  bool dma_buf = false;
  bool mapped = false;  // of a dma-buf; else it was allocated

  std::byte* Resolve(uint64_t address, uint64_t bytes) const {
    if (address < iova || address - iova > base.length) return nullptr;
    return bytes > base.length - (address - iova) ? nullptr : at + (address - iova);
  }
};

// Of type 2.
struct FakeMw {
  ibv_mw base;
  FakeMr* mr = nullptr;  // null: not bound
  uint32_t queue_pair = 0;
  uint64_t address = 0;
  uint64_t length = 0;
  unsigned access = 0;

  std::byte* Resolve(uint64_t at, uint64_t bytes) const {
    if (mr == nullptr || at < address || at - address > length) return nullptr;
    return bytes > length - (at - address) ? nullptr : mr->Resolve(at, bytes);
  }
};

struct FakeCq {
  ibv_cq base;
  std::vector<ibv_wc> ring;
  uint64_t head = 0;
  uint64_t tail = 0;
  bool armed = false;
  bool overrun = false;
  ibv_wc late{};
  bool has_late = false;
};

struct FakeCompChannel {
  ibv_comp_channel base;
  UniqueFd fd;
};

struct FakeSend {
  uint64_t wr_id = 0;
  ibv_wr_opcode opcode = IBV_WR_RDMA_WRITE;
  unsigned flags = 0;
  uint32_t immediate = 0;  // network order
  uint64_t remote = 0;
  uint32_t key = 0;
  int sges = 0;
  std::array<ibv_sge, kFakeSgeMax> sge;
  std::array<std::byte, kFakeInlineMax> inlined;
  // Of a bind; `key` is the new key.
  FakeMw* window = nullptr;
  ibv_mw_bind_info bind{};
};

struct FakeQp {
  ibv_qp base;
  FakeContext* device = nullptr;
  ibv_qp_cap cap{};
  bool signal_all = false;
  std::vector<FakeSend> sends;
  uint64_t send_head = 0;
  uint64_t send_tail = 0;
  std::vector<uint64_t> receives;  // wr_id
  uint64_t receive_head = 0;
  uint64_t receive_tail = 0;
  GidBytes remote_gid{};
  uint32_t remote_qpn = 0;
  uint32_t receive_psn = 0;
  uint32_t send_psn = 0;
  unsigned access = 0;
  int windows = 0;  // bound through it
  // Unsuccessful tries of the first send.
  uint32_t tries = 0;
  uint8_t rnr_retry = 0;
  bool busy = false;  // in the net's list
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAKE_OBJECTS_H_
