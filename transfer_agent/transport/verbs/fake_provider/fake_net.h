// A network of fake devices in one process, for tests and for the cost of the data path itself. It
// moves the bytes and checks what a device checks: states, queue lengths, local and remote keys,
// bounds, protection domains, access, receives that are not there. Queue pair numbers are used
// again as soon as they are free, which real devices delay.
//
//   FakeNet net;
//   net.AddDevice({.name = "fake0"});
//   auto provider = net.NewProvider();
//
// Work is done inside the calls that poll or arm a completion queue, a bounded amount each, for
// every queue pair of the net. No clock. Everything on one thread; the net outlives its providers.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAKE_NET_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAKE_NET_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/mutex.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_objects.h"
#include "transfer_agent/transport/verbs/fake_provider/faults.h"
#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::transport::verbs {

class FakeNet {
 public:
  FakeNet() = default;
  FakeNet(const FakeNet&) = delete;
  FakeNet& operator=(const FakeNet&) = delete;

  // Device and port are used from then on; a GID is made up when it has none.
  void AddDevice(FakeDeviceSpec spec);
  // Sees all devices. Several may be used at once: several agents.
  std::unique_ptr<Provider> NewProvider();

  Faults& faults() { return faults_; }
  // Work requests carried out in one call.
  void set_work_per_poll(int work) { work_per_poll_ = work; }
  // Asynchronous event for every open context of the device.
  void Raise(const std::string& device, ibv_event_type type);
  // The queue pair goes to the error state with its event, as after a fault of its device. What it
  // had posted is flushed, and on its way all the same: it lands at LandGhosts, if the other end
  // still takes it.
  void BreakQp(uint32_t number);
  // Writes that were carried out.
  int LandGhosts();
  void SetPortActive(const std::string& device, bool active);
  // Its one address is another from now on.
  void SetAddress(const std::string& device, const GidBytes& gid);
  // Numbers of queue pairs with sends that are not carried out.
  std::vector<uint32_t> Sending() const;

  uint64_t writes() const { return writes_; }
  uint64_t reads() const { return reads_; }
  uint64_t immediates() const { return immediates_; }
  uint64_t completions() const { return completions_; }
  uint64_t doorbells() const { return doorbells_; }
  // Contexts, registrations, queues that are not given back.
  int objects() const { return objects_; }
  std::vector<const FakeMr*> Registrations() const;
  std::vector<uint32_t> QpNumbers() const;

 private:
  friend class FakeProvider;

  // The table of a context.
  static int PostSend(ibv_qp* qp, ibv_send_wr* wr, ibv_send_wr** bad);
  static int PostReceive(ibv_qp* qp, ibv_recv_wr* wr, ibv_recv_wr** bad);
  static int PollCq(ibv_cq* cq, int count, ibv_wc* out);
  static int RequestNotify(ibv_cq* cq, int solicited_only);

  // fake_wire.cc
  void Progress(int work);
  // False: the queue pair waits (for a receive, for its peer).
  bool RunFirst(FakeQp* qp);
  ibv_wc_status Execute(FakeQp* qp, const FakeSend& send, bool* wait);
  ibv_wc_status CopyBytes(FakeQp* qp, FakeQp* peer, const FakeSend& send, uint64_t* bytes);
  ibv_wc_status ReadBytes(FakeQp* qp, FakeQp* peer, const FakeSend& send);
  static void EmptyBus(FakeContext* context, uint64_t down_to_bytes = 0);
  ibv_wc_status Deliver(FakeQp* peer, const FakeSend& send, uint64_t bytes, bool* wait);
  FakeQp* PeerOf(const FakeQp& qp);
  void Complete(FakeQp* qp, const FakeSend& send, ibv_wc_status status);
  void Push(FakeCq* cq, const ibv_wc& wc);
  void Append(FakeCq* cq, const ibv_wc& wc);
  void Flush(FakeQp* qp, bool sends = true);
  void MakeBusy(FakeQp* qp);
  void RaiseOn(FakeContext* context, const ibv_async_event& event);
  FakeMr* FindMr(uint32_t key);

  // fake_windows.cc
  ibv_mw* AllocWindow(ibv_pd* pd);
  int FreeWindow(ibv_mw* window);
  FakeMw* FindWindow(uint32_t key);
  ibv_wc_status RunLocal(FakeQp* qp, const FakeSend& send);
  static ibv_wc_status BindWindow(FakeQp* qp, const FakeSend& send);
  static void Unbind(FakeMw* window, FakeQp* qp);
  // What a write to that key and address reaches.
  ibv_wc_status FindTarget(FakeQp* peer, const FakeSend& send, uint64_t bytes, bool* dma_buf,
                           std::byte** out);

  Faults faults_;
  int work_per_poll_ = 8;
  std::deque<FakeDeviceSpec> devices_;
  std::vector<FakeContext*> contexts_;
  Mutex registering_;             // several threads register
  std::vector<FakeMr*> regions_;  // by key >> 8
  std::vector<FakeMw*> windows_;  // by key >> 8, less kFirstWindow
  std::vector<FakeQp*> qps_;      // by number - kFirstQp
  std::vector<FakeQp*> busy_;
  std::vector<FakeQp> ghosts_;  // broken: copies, with what they had posted
  size_t turn_ = 0;
  uint32_t key_salt_ = 0;
  uint64_t writes_ = 0;
  uint64_t reads_ = 0;
  uint64_t immediates_ = 0;
  uint64_t completions_ = 0;
  uint64_t doorbells_ = 0;
  int objects_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAKE_NET_H_
