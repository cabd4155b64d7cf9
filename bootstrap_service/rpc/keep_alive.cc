// KeepAlive: renews the leases of one agent, one answer a request.
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {
namespace {

class KeepAliveCall : public grpc::ServerBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse>,
                      public Stream {
 public:
  KeepAliveCall(Store* store, StreamSet* streams, const ServiceOptions& options,
                grpc::CallbackServerContext* context)
      : store_(store), streams_(streams), silence_(options.keep_alive_silence), context_(context) {
    heard_ = Monotonic::now().time_since_epoch().count();
    if (streams_->Add(this, options.keep_alive_streams)) {
      Go([this] { StartRead(&request_); });
    } else {
      End(Error(Reason::kTooLarge, "no more KeepAlive streams: the service is full or stopping"));
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    heard_ = Monotonic::now().time_since_epoch().count();
    if (epoch_ == 0) epoch_ = request_.epoch();
    if (request_.epoch() != epoch_) {
      return End(Error(Reason::kBadSpec, absl::StrCat("epoch: ", epoch_, " and ", request_.epoch(),
                                                      " on one stream")));
    }
    if (request_.lease_ids_size() > 0) {
      latest_ = request_.lease_ids();
    } else {
      *request_.mutable_lease_ids() = latest_;
    }
    store_->Submit(request_, [this](absl::StatusOr<v1::KeepAliveResponse> answer) {
      if (!answer.ok()) return End(answer.status());
      response_ = *std::move(answer);
      Go([this] { StartWrite(&response_); });
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    request_.Clear();
    Go([this] { StartRead(&request_); });
  }

  void OnCancel() override { End(Error(Reason::kAborted, "the client has gone")); }

  void OnDone() override {
    streams_->Remove(this);
    delete this;
  }

  TimePoint ends() const override {
    MutexLock lock(&mu_);
    return finished_ ? farewell_ends_ : TimePoint(Duration(heard_.load())) + silence_;
  }

  absl::Status WhyItEnds() const override {
    return Error(Reason::kDeadline, "nothing was heard on this stream for three lease times");
  }

  void End(const absl::Status& why) override {
    MutexLock lock(&mu_);
    if (finished_ && Monotonic::now() >= farewell_ends_) context_->TryCancel();
    if (finished_) return;
    finished_ = true;
    farewell_ends_ = Monotonic::now() + kFarewell;
    Finish(ToGrpc(why));
  }

 private:
  // Nothing may be started once the call is finished.
  template <typename Step>
  void Go(const Step& step) {
    MutexLock lock(&mu_);
    if (!finished_) step();
  }

  Store* const store_;
  StreamSet* const streams_;
  const Duration silence_;
  grpc::CallbackServerContext* const context_;
  std::atomic<Duration::rep> heard_;
  uint64_t epoch_ = 0;
  google::protobuf::RepeatedField<uint64_t> latest_;
  v1::KeepAliveRequest request_;
  v1::KeepAliveResponse response_;
  mutable Mutex mu_;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  TimePoint farewell_ends_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

grpc::ServerBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse>* BootstrapService::KeepAlive(
    grpc::CallbackServerContext* context) {
  return new KeepAliveCall(store_, &streams_, options_, context);
}

}  // namespace baton::registry
