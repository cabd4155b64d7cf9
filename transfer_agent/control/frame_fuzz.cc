// What a peer may send on its two streams: nothing of it may crash, deliver a frame twice or out of
// order, or queue without bound.
//
// Input: messages of {stream and time 1 byte, length 2 bytes little endian, bytes of a Frame}.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "baton/v1/control.pb.h"
#include "common/clock.h"
#include "transfer_agent/control/hello.h"
#include "transfer_agent/control/peer_core.h"
#include "transfer_agent/control/validate_frame.h"

namespace baton::control {
namespace {

void Require(bool holds) {
  if (!holds) abort();
}

class Peer {
 public:
  // As the link does with what its wires bring.
  void Take(Priority priority, const v1::Frame& frame, size_t bytes) {
    if (core_.state() == PeerState::kDown) return;
    if (!core_.attached(priority)) {
      auto hello = ParseHello(frame);
      if (!hello.ok() || !core_.Attach(hello->priority, hello->delivered, now_).ok()) core_.End();
      return;
    }
    auto fresh = core_.Receive(priority, frame.seq(), frame.ack(), bytes, now_);
    if (!fresh.ok()) {
      core_.End();
      return;
    }
    if (*fresh) Require(frame.seq() == ++delivered_[Index(priority)]);
    const bool valid = ValidateFrame(frame).ok();
    if (valid && frame.has_goodbye()) {
      Require(frame.goodbye().why().size() <= 256);
      core_.End();
      return;
    }
    if (valid && frame.has_offer()) {
      Require(frame.offer().pages_size() <= kPageListsMax);
      core_.Push(priority, HeartbeatBody()).IgnoreError();
    }
    while (core_.Next(priority, now_).has_value()) continue;
    Require(core_.unacked_bytes() <= 2 * kQueueMax);
  }
  void Pass(int ms) {
    now_ += std::chrono::milliseconds(ms);
    if (core_.Silence(now_).has_value()) core_.End();
  }

 private:
  static constexpr size_t kQueueMax = 4096;
  static PeerCoreOptions Options() {
    PeerCoreOptions options;
    options.unacked_bytes_max = kQueueMax;
    return options;
  }

  PeerCore core_{Options()};
  uint64_t delivered_[2] = {0, 0};
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
};

}  // namespace
}  // namespace baton::control

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using baton::control::Priority;
  baton::control::Peer peer;
  size_t at = 0;
  while (size - at > 3) {
    const uint8_t how = data[at];
    const size_t length = std::min<size_t>(data[at + 1] | data[at + 2] << 8, size - at - 3);
    baton::v1::Frame frame;
    if (frame.ParseFromArray(data + at + 3, static_cast<int>(length))) {
      peer.Take(how & 1 ? Priority::kUrgent : Priority::kBulk, frame, length);
    }
    peer.Pass(how >> 1);
    at += 3 + length;
  }
  return 0;
}
