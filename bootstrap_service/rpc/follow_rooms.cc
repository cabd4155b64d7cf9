// FollowRooms: each room's binding as soon as there is one. A room costs one lookup that waits in
// the store, and nothing when another room is bound.
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"
#include "common/mutex.h"

namespace baton::registry {
namespace {

using Request = v1::FollowRoomsRequest;
using Response = v1::FollowRoomsResponse;

// What the store's answers reach, which may come when the call is over.
class Followed {
 public:
  virtual ~Followed() = default;
  virtual void OnAnswer(uint64_t number, absl::StatusOr<v1::LookupRoomResponse> answer) = 0;
};

// Null once the call is over.
struct Door {
  Mutex mu;
  Followed* call ABSL_GUARDED_BY(mu) = nullptr;
};

class FollowCall : public grpc::ServerBidiReactor<Request, Response>,
                   public Stream,
                   public Followed {
 public:
  FollowCall(Store* store, StreamSet* streams, const ServiceOptions& options,
             grpc::CallbackServerContext* context)
      : store_(store),
        streams_(streams),
        context_(context),
        door_(std::make_shared<Door>()),
        ends_(Monotonic::now() + options.watch_life) {
    {
      MutexLock lock(&door_->mu);
      door_->call = this;
    }
    if (!streams_->Add(this, options.keep_alive_streams)) {
      End(Error(Reason::kTooLarge, "no more streams: the service is full or stopping"));
    }
    MutexLock lock(&mu_);
    if (!finished_) StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    const TimePoint now = Monotonic::now();
    for (const v1::RoomBinding& room : request_.rooms()) {
      Follow(room, now + std::chrono::milliseconds(room.ttl_ms()));
    }
    MutexLock lock(&mu_);
    if (!finished_) StartRead(&request_);
  }

  void OnAnswer(uint64_t number, absl::StatusOr<v1::LookupRoomResponse> answer) override {
    if (ReasonOf(answer.status()) == Reason::kFull) End(answer.status());
    MutexLock lock(&mu_);
    waiting_.erase(number);
    // Of a name that no server can have nothing is ever bound.
    if (!answer.ok() || finished_) return;
    pending_.mutable_bindings()->MergeFrom(answer->bindings());
    Pump();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    MutexLock lock(&mu_);
    writing_ = false;
    Pump();
  }

  void OnCancel() override { End(Error(Reason::kAborted, "the client has gone")); }

  void OnDone() override {
    {
      // From here on no answer comes.
      MutexLock lock(&door_->mu);
      door_->call = nullptr;
    }
    absl::flat_hash_map<uint64_t, WaiterId> waiting;
    {
      MutexLock lock(&mu_);
      waiting.swap(waiting_);
    }
    for (const auto& [number, waiter] : waiting) store_->CancelLookup(waiter);
    streams_->Remove(this);
    delete this;
  }

  TimePoint ends() const override {
    MutexLock lock(&mu_);
    return writing_ && !finished_ ? std::min(ends_, write_began_ + kFarewell) : ends_;
  }

  absl::Status WhyItEnds() const override {
    return Error(Reason::kDeadline,
                 "this stream has lived its time, or was not read for 30 s: follow again");
  }

  void End(const absl::Status& why) override {
    MutexLock lock(&mu_);
    if (finished_ && Monotonic::now() >= ends_) context_->TryCancel();
    if (finished_) return;
    finished_ = true;
    ends_ = Monotonic::now() + kFarewell;
    Finish(ToGrpc(why));
  }

 private:
  void Follow(const v1::RoomBinding& room, TimePoint wait_ends) {
    uint64_t number = 0;
    {
      MutexLock lock(&mu_);
      if (finished_) return;
      number = ++last_number_;
      waiting_[number] = WaiterId();
    }
    v1::LookupRoomRequest request;
    *request.add_rooms() = room;
    const WaiterId waiter = store_->Lookup(
        request, wait_ends, [door = door_, number](absl::StatusOr<v1::LookupRoomResponse> answer) {
          MutexLock lock(&door->mu);
          if (door->call != nullptr) door->call->OnAnswer(number, std::move(answer));
        });
    MutexLock lock(&mu_);
    // Gone where the answer has come already.
    if (auto it = waiting_.find(number); it != waiting_.end()) it->second = waiter;
  }

  // What is found while a write is under way goes with the next.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || finished_ || pending_.bindings().empty()) return;
    response_.Clear();
    response_.Swap(&pending_);
    writing_ = true;
    write_began_ = Monotonic::now();
    StartWrite(&response_);
  }

  Store* const store_;
  StreamSet* const streams_;
  grpc::CallbackServerContext* const context_;
  const std::shared_ptr<Door> door_;
  Request request_;    // of the read under way
  Response response_;  // of the write under way
  mutable Mutex mu_;
  TimePoint ends_ ABSL_GUARDED_BY(mu_);
  Response pending_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  TimePoint write_began_ ABSL_GUARDED_BY(mu_);
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t last_number_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<uint64_t, WaiterId> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

grpc::ServerBidiReactor<Request, Response>* BootstrapService::FollowRooms(
    grpc::CallbackServerContext* context) {
  return new FollowCall(store_, &streams_, options_, context);
}

}  // namespace baton::registry
