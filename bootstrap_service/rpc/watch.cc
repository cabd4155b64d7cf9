// Watch: the hub's messages of one watcher, as fast as it reads them.
#include <algorithm>
#include <deque>
#include <utility>

#include "bootstrap_service/registry/batch.h"
#include "bootstrap_service/rpc/bytes.h"
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"
#include "common/log.h"

namespace baton::registry {
namespace {

class WatchCall : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public Watcher, public Stream {
 public:
  WatchCall(WatchHub* hub, StreamSet* streams, const ServiceOptions& options,
            grpc::CallbackServerContext* context)
      : hub_(hub),
        streams_(streams),
        queue_bytes_max_(options.watch_queue_bytes),
        context_(context),
        ends_(Monotonic::now() + options.watch_life) {}

  void Begin(const grpc::ByteBuffer& bytes) {
    v1::WatchRequest request;
    absl::Status status = Parse(bytes, &request);
    if (status.ok() && !streams_->Add(this, SIZE_MAX)) {
      status = Error(Reason::kDraining, "the service is stopping");
    }
    if (status.ok()) status = hub_->Join(request, this);
    if (!status.ok()) End(nullptr, status, true);
  }

  bool Offer(SharedMessage message, bool first) override {
    MutexLock lock(&mu_);
    if (ended_) return true;
    if (!first && queued_bytes_ + message->size() > queue_bytes_max_) return false;
    if (!first) queued_bytes_ += message->size();
    queue_.push_back({std::move(message), first});
    Pump();
    return true;
  }

  void End(SharedMessage last, const absl::Status& why, bool flush) override {
    MutexLock lock(&mu_);
    if (ended_) return;
    ended_ = true;
    why_ = why;
    ends_ = Monotonic::now() + kFarewell;
    if (!flush) {
      LOG(WARNING) << "watch of " << context_->peer() << " ends: " << why.message();
      queue_.clear();
    }
    if (last != nullptr) queue_.push_back({std::move(last), true});
    Pump();
  }

  void End(const absl::Status& why) override {
    {
      MutexLock lock(&mu_);
      if (ended_ && Monotonic::now() >= ends_) context_->TryCancel();
      if (ended_) return;
    }
    std::string text(why.message());
    // What a stalled watcher has not read is given up with it.
    End(std::make_shared<const std::string>(DroppedMessage(text)), why,
        ReasonOf(why) != Reason::kFull);
  }

  TimePoint ends() const override {
    MutexLock lock(&mu_);
    return Stalls() ? std::min(ends_, write_began_ + kFarewell) : ends_;
  }

  absl::Status WhyItEnds() const override {
    MutexLock lock(&mu_);
    if (Stalls() && write_began_ + kFarewell < ends_) {
      return Error(Reason::kFull, "nothing of this watch was read for 30 s: watch again");
    }
    return Error(Reason::kDeadline, "this watch has lived its time: watch again");
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mu_);
    writing_ = false;
    if (!ok) Abandon();
    Pump();
  }

  void OnCancel() override {
    MutexLock lock(&mu_);
    Abandon();
    Pump();
  }

  void OnDone() override {
    hub_->Leave(this);
    streams_->Remove(this);
    delete this;
  }

 private:
  struct Queued {
    SharedMessage message;
    bool first;
  };

  bool Stalls() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return writing_ && !ended_; }

  void Abandon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!ended_) why_ = Error(Reason::kAborted, "the client has gone");
    ended_ = true;
    queue_.clear();
  }

  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (writing_ || finished_) return;
    if (queue_.empty()) {
      finished_ = ended_;
      if (finished_) Finish(ToGrpc(why_));
      return;
    }
    Queued next = std::move(queue_.front());
    queue_.pop_front();
    if (!next.first) queued_bytes_ -= next.message->size();
    const std::string& bytes = *next.message;
    grpc::Slice slice = SliceOf(std::move(next.message), bytes);
    buffer_ = grpc::ByteBuffer(&slice, 1);
    writing_ = true;
    write_began_ = Monotonic::now();
    StartWrite(&buffer_);
  }

  WatchHub* const hub_;
  StreamSet* const streams_;
  const size_t queue_bytes_max_;
  grpc::CallbackServerContext* const context_;
  mutable Mutex mu_;
  TimePoint ends_ ABSL_GUARDED_BY(mu_);
  std::deque<Queued> queue_ ABSL_GUARDED_BY(mu_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;  // without the snapshot
  grpc::ByteBuffer buffer_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  TimePoint write_began_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* BootstrapService::Watch(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  auto* call = new WatchCall(hub_, &streams_, options_, context);
  call->Begin(*request);
  return call;
}

}  // namespace baton::registry
