// The client's end of one Watch. Skin.
#ifndef BATON_CLIENT_BOOTSTRAP_WATCH_STREAM_H_
#define BATON_CLIENT_BOOTSTRAP_WATCH_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/rpc/in_flight.h"
#include "common/mutex.h"

namespace baton {

class WatchStream : public grpc::ClientReadReactor<v1::WatchResponse> {
 public:
  struct Callbacks {
    // Nothing more is read before `Next` is called.
    std::function<void(v1::WatchResponse)> message;
    std::function<void(const absl::Status&)> ended;  // once, and last
  };

  // Shared with gRPC, which lets go when the stream has ended; `in_flight` knows. Callbacks come
  // from its threads.
  static std::shared_ptr<WatchStream> Open(v1::Bootstrap::Stub* stub, InFlight* in_flight,
                                           const v1::WatchRequest& request, Callbacks callbacks);

  // The latest message was dealt with.
  void Next();
  void Cancel();

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  WatchStream(InFlight* in_flight, Callbacks callbacks)
      : ticket_(in_flight->Take()), callbacks_(std::move(callbacks)) {}
  void ReleaseHold();

  const InFlight::Ticket ticket_;
  const Callbacks callbacks_;
  grpc::ClientContext context_;
  v1::WatchRequest request_;
  v1::WatchResponse message_;
  std::shared_ptr<WatchStream> self_;  // until OnDone
  Mutex mu_;
  bool held_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_WATCH_STREAM_H_
