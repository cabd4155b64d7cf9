// The unary calls of one client, made asynchronously. Declare it behind the stub: its end cancels
// what is in flight and waits until gRPC has let go (in_flight.h says why). Thread-safe. Skins
// only.
#ifndef BATON_CLIENT_RPC_UNARY_CALLS_H_
#define BATON_CLIENT_RPC_UNARY_CALLS_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "client/rpc/channel.h"
#include "client/rpc/in_flight.h"
#include "client/rpc/status.h"
#include "common/mutex.h"

namespace baton {

class UnaryCalls {
 public:
  UnaryCalls() : open_(std::make_shared<Open>()) {}
  ~UnaryCalls() { Cancel(); }

  // `done` is called once, from a thread of gRPC, and must not end this.
  template <typename Request, typename Response, typename Async, typename Base>
  void Make(Async* stub,
            void (Base::*method)(grpc::ClientContext*, const Request*, Response*,
                                 grpc::ClientUnaryReactor*),
            Request request, std::chrono::milliseconds deadline,
            std::function<void(absl::StatusOr<Response>)> done) {
    auto* call =
        new Call<Request, Response>(in_flight_.Take(), open_, std::move(request), std::move(done));
    call->context->set_deadline(DeadlineIn(deadline));
    open_->Add(call->context);
    (stub->*method)(call->context.get(), &call->request, &call->response, call);
    call->StartCall();
  }

  // Until every call has ended, or `limit` is over.
  void Wait(std::chrono::milliseconds limit) { in_flight_.Wait(limit); }

 private:
  using ContextPtr = std::shared_ptr<grpc::ClientContext>;

  // The contexts that can be cancelled.
  class Open {
   public:
    void Add(const ContextPtr& context) {
      MutexLock lock(&mu_);
      contexts_.insert(context);
    }
    void Remove(const ContextPtr& context) {
      MutexLock lock(&mu_);
      contexts_.erase(context);
    }
    std::set<ContextPtr> TakeAll() {
      MutexLock lock(&mu_);
      return std::exchange(contexts_, {});
    }

   private:
    Mutex mu_;
    std::set<ContextPtr> contexts_ ABSL_GUARDED_BY(mu_);
  };

  template <typename Request, typename Response>
  struct Call final : grpc::ClientUnaryReactor {
    Call(InFlight::Ticket t, std::shared_ptr<Open> o, Request r,
         std::function<void(absl::StatusOr<Response>)> d)
        : ticket(std::move(t)), open(std::move(o)), request(std::move(r)), done(std::move(d)) {}

    void OnDone(const grpc::Status& status) override {
      open->Remove(context);
      absl::StatusOr<Response> answer = std::move(response);
      if (!status.ok()) answer = FromGrpc(status);
      done(std::move(answer));
      delete this;
    }

    const InFlight::Ticket ticket;
    const std::shared_ptr<Open> open;
    const ContextPtr context = std::make_shared<grpc::ClientContext>();
    const Request request;
    Response response;
    const std::function<void(absl::StatusOr<Response>)> done;
  };

  // Without the lock: gRPC may end a call on the thread that cancels it.
  void Cancel() {
    for (const ContextPtr& context : open_->TakeAll()) context->TryCancel();
  }

  const std::shared_ptr<Open> open_;
  InFlight in_flight_;
};

}  // namespace baton

#endif  // BATON_CLIENT_RPC_UNARY_CALLS_H_
