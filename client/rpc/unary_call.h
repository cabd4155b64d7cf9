// One unary call of a client, made asynchronously. Skins only.
#ifndef BATON_CLIENT_RPC_UNARY_CALL_H_
#define BATON_CLIENT_RPC_UNARY_CALL_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "client/rpc/channel.h"
#include "client/rpc/status.h"

namespace baton {

// `done` is called once, from a thread of gRPC. The stub may go before the answer comes.
template <typename Request, typename Response, typename Async, typename Base>
void CallUnary(Async* stub,
               void (Base::*method)(grpc::ClientContext*, const Request*, Response*,
                                    std::function<void(grpc::Status)>),
               Request request, std::chrono::milliseconds deadline,
               std::function<void(absl::StatusOr<Response>)> done) {
  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
  };
  auto* call = new Call();
  call->request = std::move(request);
  call->context.set_deadline(DeadlineIn(deadline));
  (stub->*method)(&call->context, &call->request, &call->response,
                  [call, done = std::move(done)](const grpc::Status& status) {
                    absl::StatusOr<Response> answer = std::move(call->response);
                    if (!status.ok()) answer = FromGrpc(status);
                    delete call;
                    done(std::move(answer));
                  });
}

}  // namespace baton

#endif  // BATON_CLIENT_RPC_UNARY_CALL_H_
