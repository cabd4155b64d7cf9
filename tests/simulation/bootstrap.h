// The bootstrap service of a history: the shipped registry and room table behind simulated calls,
// with the rules of bootstrap_service/rpc for what a call does. A crash loses everything; the next
// start has another store epoch and settles first.
#ifndef BATON_TESTS_SIMULATION_BOOTSTRAP_H_
#define BATON_TESTS_SIMULATION_BOOTSTRAP_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/registry/rooms.h"
#include "tests/simulation/network.h"

namespace baton::sim {

inline constexpr char kBootstrapAddress[] = "bootstrap:1";

class Bootstrap {
 public:
  Bootstrap(Network* network, uint32_t host);

  // Nothing is there before. `first`: it is known never to have run, and settles at once.
  void Start(bool first);
  const ProcessPtr& process() const { return process_; }
  registry::Registry& registry() { return *registry_; }
  bool running() const { return process_ != nullptr && process_->alive && !process_->stopped; }
  TimePoint started() const { return started_; }
  // Called after every command and tick, in the service's process.
  void SetObserver(Action observer) { observer_ = std::move(observer); }
  // The clock on the wall: jumps as faults ask.
  void JumpClock(int64_t ms) { unix_offset_ms_ += ms; }

  // One call from `from`: answered once in that process, with PEER_LOST or DEADLINE when the
  // service cannot be asked or does not answer. It may have been carried out all the same.
  template <typename Response, typename Request>
  void Call(const ProcessPtr& from, Request request, Duration deadline,
            std::function<void(const absl::StatusOr<Response>&)> then);
  // The same for a look-up, which may wait for its binding.
  void Lookup(const ProcessPtr& from, const v1::LookupRoomRequest& request, Duration deadline,
              std::function<void(const absl::StatusOr<v1::LookupRoomResponse>&)> then);

 private:
  struct Pending;
  struct Watcher {
    WirePtr wire;
    uint64_t sent = 0;
  };
  using LookupReply = std::function<void(v1::LookupRoomResponse)>;

  registry::Now now() const;
  std::shared_ptr<Pending> Begin(const ProcessPtr& from, Duration deadline,
                                 std::function<void(const absl::Status&)> fail);
  void Deliver(const ProcessPtr& from, const std::shared_ptr<Pending>& pending,
               std::function<void(uint64_t life)> carry_out);
  void Reply(const ProcessPtr& from, const std::shared_ptr<Pending>& pending, Action then);
  template <typename Response, typename Request>
  absl::StatusOr<Response> Apply(const Request& request) {
    return registry_->Apply(request, now());
  }
  void Answer(std::vector<registry::Answered> answered);
  void OnWatcher(const WirePtr& wire);
  void BeginWatch(const WirePtr& wire, const v1::WatchRequest& request);
  void Tick(uint64_t life);
  void Changed();
  void Push();

  Network* const network_;
  World& world_;
  const uint32_t host_;
  ProcessPtr process_;
  uint64_t life_ = 0;
  TimePoint started_;
  int64_t unix_offset_ms_ = 0;
  Action observer_;
  std::unique_ptr<registry::Registry> registry_;
  std::unique_ptr<registry::RoomTable> rooms_;
  std::map<registry::WaiterId, LookupReply> lookups_;
  std::vector<Watcher> watchers_;
  bool push_due_ = false;
};

// Bind is of the room table, the rest of the registry.
template <>
absl::StatusOr<v1::BindRoomResponse> Bootstrap::Apply(const v1::BindRoomRequest& request);

template <typename Response, typename Request>
void Bootstrap::Call(const ProcessPtr& from, Request request, Duration deadline,
                     std::function<void(const absl::StatusOr<Response>&)> then) {
  auto pending = Begin(from, deadline, [then](const absl::Status& why) { then(why); });
  Deliver(from, pending, [this, from, pending, then, request = std::move(request)](uint64_t) {
    auto answer = Apply<Response>(request);
    Changed();
    Reply(from, pending, [then, answer = std::move(answer)] { then(answer); });
  });
}

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_BOOTSTRAP_H_
