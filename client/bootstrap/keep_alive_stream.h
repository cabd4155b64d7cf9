// The client's end of one KeepAlive stream: requests in order, each answered once, in that order,
// and none of them waits for an answer. Skin.
#ifndef BATON_CLIENT_BOOTSTRAP_KEEP_ALIVE_STREAM_H_
#define BATON_CLIENT_BOOTSTRAP_KEEP_ALIVE_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/rpc/in_flight.h"
#include "common/mutex.h"

namespace baton {

class KeepAliveStream
    : public grpc::ClientBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse> {
 public:
  struct Callbacks {
    std::function<void(const v1::KeepAliveResponse&)> answered;
    std::function<void(const absl::Status&)> ended;  // once, and last
  };

  // Shared with gRPC, which lets go when the stream has ended; `in_flight` knows. Callbacks come
  // from its threads.
  static std::shared_ptr<KeepAliveStream> Open(v1::Bootstrap::Stub* stub, InFlight* in_flight,
                                               Callbacks callbacks);

  // Nothing when the stream is ending.
  void Send(const v1::KeepAliveRequest& request);
  void Cancel();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  KeepAliveStream(InFlight* in_flight, Callbacks callbacks)
      : ticket_(in_flight->Take()), callbacks_(std::move(callbacks)) {}
  void ReleaseHold();

  const InFlight::Ticket ticket_;
  const Callbacks callbacks_;
  grpc::ClientContext context_;
  v1::KeepAliveResponse response_;         // of the read under way
  std::shared_ptr<KeepAliveStream> self_;  // until OnDone
  Mutex mu_;
  // The first one is being written. Bounded by the caller, who counts what is not answered.
  std::deque<v1::KeepAliveRequest> unsent_ ABSL_GUARDED_BY(mu_);
  bool held_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_KEEP_ALIVE_STREAM_H_
