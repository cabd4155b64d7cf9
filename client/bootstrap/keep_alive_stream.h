// The client's end of one KeepAlive stream: one request at a time, each answered once. Skin.
#ifndef BATON_CLIENT_BOOTSTRAP_KEEP_ALIVE_STREAM_H_
#define BATON_CLIENT_BOOTSTRAP_KEEP_ALIVE_STREAM_H_

#include <grpcpp/grpcpp.h>

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

  // Only when the answer to the one before has come. Nothing when the stream is ending.
  void Send(const v1::KeepAliveRequest& request);
  void Cancel();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  KeepAliveStream(InFlight* in_flight, Callbacks callbacks)
      : ticket_(in_flight->Take()), callbacks_(std::move(callbacks)) {}
  void StepDone(bool ok);
  void ReleaseHold();

  const InFlight::Ticket ticket_;
  const Callbacks callbacks_;
  grpc::ClientContext context_;
  v1::KeepAliveRequest request_;
  v1::KeepAliveResponse response_;
  std::shared_ptr<KeepAliveStream> self_;  // until OnDone
  Mutex mu_;
  int steps_left_ ABSL_GUARDED_BY(mu_) = 0;  // of a write and a read
  bool failed_ ABSL_GUARDED_BY(mu_) = false;
  bool held_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_KEEP_ALIVE_STREAM_H_
