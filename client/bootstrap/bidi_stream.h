// The client's end of a stream of requests and responses: requests in order, none waits for a
// response. Skin.
#ifndef BATON_CLIENT_BOOTSTRAP_BIDI_STREAM_H_
#define BATON_CLIENT_BOOTSTRAP_BIDI_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/rpc/in_flight.h"
#include "client/rpc/status.h"
#include "common/mutex.h"

namespace baton {

template <typename Request, typename Response>
class BidiStream : public grpc::ClientBidiReactor<Request, Response> {
 public:
  struct Callbacks {
    std::function<void(Response)> answered;
    std::function<void(const absl::Status&)> ended;  // once, and last
  };
  using Async = v1::Bootstrap::StubInterface::async_interface;
  using Method = void (Async::*)(grpc::ClientContext*, grpc::ClientBidiReactor<Request, Response>*);

  // Shared with gRPC, which lets go when the stream has ended; `in_flight` knows. Callbacks come
  // from its threads. `name`: of the method, for errors.
  static std::shared_ptr<BidiStream> Open(Async* stub, Method method, std::string name,
                                          InFlight* in_flight, Callbacks callbacks) {
    std::shared_ptr<BidiStream> stream(
        new BidiStream(std::move(name), in_flight, std::move(callbacks)));
    stream->self_ = stream;
    (stub->*method)(&stream->context_, stream.get());
    // Operations come from outside of the reactor's own callbacks: the hold keeps the call open.
    stream->AddHold();
    stream->StartRead(&stream->response_);
    stream->StartCall();
    return stream;
  }

  // Nothing when the stream is ending.
  void Send(Request request) {
    MutexLock lock(&mu_);
    if (!held_) return;
    unsent_.push_back(std::move(request));
    if (unsent_.size() == 1) this->StartWrite(&unsent_.front());
  }

  void Cancel() {
    context_.TryCancel();
    ReleaseHold();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return ReleaseHold();
    MutexLock lock(&mu_);
    unsent_.pop_front();
    if (held_ && !unsent_.empty()) this->StartWrite(&unsent_.front());
  }

  void OnReadDone(bool ok) override {
    if (!ok) return ReleaseHold();
    callbacks_.answered(std::exchange(response_, {}));
    MutexLock lock(&mu_);
    if (held_) this->StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    callbacks_.ended(FromGrpc(status, name_));
    self_.reset();
  }

 private:
  BidiStream(std::string name, InFlight* in_flight, Callbacks callbacks)
      : name_(std::move(name)), ticket_(in_flight->Take()), callbacks_(std::move(callbacks)) {}

  void ReleaseHold() {
    {
      MutexLock lock(&mu_);
      if (!held_) return;
      held_ = false;
    }
    this->RemoveHold();
  }

  const std::string name_;
  const InFlight::Ticket ticket_;
  const Callbacks callbacks_;
  grpc::ClientContext context_;
  Response response_;                 // of the read under way
  std::shared_ptr<BidiStream> self_;  // until OnDone
  Mutex mu_;
  // The first one is being written. Bounded by the caller, who counts what is not answered.
  std::deque<Request> unsent_ ABSL_GUARDED_BY(mu_);
  bool held_ ABSL_GUARDED_BY(mu_) = true;
};

using KeepAliveStream = BidiStream<v1::KeepAliveRequest, v1::KeepAliveResponse>;
using FollowStream = BidiStream<v1::FollowRoomsRequest, v1::FollowRoomsResponse>;

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_BIDI_STREAM_H_
