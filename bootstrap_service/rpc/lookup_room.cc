// LookupRoom: which dp rank has a room; may wait for the first of its rooms to be bound.
#include <algorithm>
#include <atomic>

#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {
namespace {

// Gives the wait up when the client has gone.
class LookupCall : public grpc::ServerUnaryReactor {
 public:
  LookupCall(Store* store, RpcMetrics* metrics, const v1::LookupRoomRequest& request,
             TimePoint wait_ends, v1::LookupRoomResponse* response)
      : store_(store) {
    const TimePoint began = Monotonic::now();
    WaiterId waiter = store_->Lookup(
        request, wait_ends,
        [this, metrics, began, response](absl::StatusOr<v1::LookupRoomResponse> answer) {
          metrics->Count(Rpc::kLookupRoom, began, answer.status());
          if (answer.ok()) *response = std::move(*answer);
          Finish(ToGrpc(answer.status()));
        });
    // This object may be gone by now if the answer came already: then there is no waiter.
    if (waiter != WaiterId()) waiter_ = waiter.value();
  }

  // A cancel that comes before waiter_ is set only lets the wait run to its end.
  void OnCancel() override {
    uint64_t waiter = waiter_;
    if (waiter != 0 && store_->CancelLookup(WaiterId(waiter))) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  Store* const store_;
  std::atomic<uint64_t> waiter_{0};
};

// The answer has to be on its way before the client's deadline.
TimePoint WaitEnds(const grpc::CallbackServerContext& context, uint32_t wait_ms) {
  auto left = context.deadline() - std::chrono::system_clock::now() - std::chrono::milliseconds(20);
  auto wait = std::min<Duration>(std::chrono::milliseconds(wait_ms),
                                 std::chrono::duration_cast<Duration>(left));
  return Monotonic::now() + wait;
}

}  // namespace

grpc::ServerUnaryReactor* BootstrapService::LookupRoom(grpc::CallbackServerContext* context,
                                                       const v1::LookupRoomRequest* request,
                                                       v1::LookupRoomResponse* response) {
  if (absl::Status status = CheckDeadline(*context); !status.ok()) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  return new LookupCall(store_, &metrics_, *request, WaitEnds(*context, request->wait_ms()),
                        response);
}

}  // namespace baton::registry
