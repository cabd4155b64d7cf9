// What all unary handlers share: a deadline is asked for, a status becomes a gRPC status.
#ifndef BATON_BOOTSTRAP_SERVICE_RPC_UNARY_H_
#define BATON_BOOTSTRAP_SERVICE_RPC_UNARY_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bootstrap_service/rpc/rpc_metrics.h"
#include "client/rpc/status.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::registry {

inline absl::Status CheckDeadline(const grpc::CallbackServerContext& context) {
  if (context.deadline() != std::chrono::system_clock::time_point::max()) return absl::OkStatus();
  return Error(Reason::kBadMessage, "deadline: every call needs one, and this one has none");
}

// Calls `start(done)`; `done` takes an absl::StatusOr<Response> and is called once.
template <typename Response, typename Start>
grpc::ServerUnaryReactor* AnswerUnary(Rpc rpc, RpcMetrics* metrics,
                                      grpc::CallbackServerContext* context, Response* response,
                                      const Start& start) {
  const TimePoint began = Monotonic::now();
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (absl::Status status = CheckDeadline(*context); !status.ok()) {
    metrics->Count(rpc, began, status);
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  start([reactor, response, rpc, metrics, began](absl::StatusOr<Response> answer) {
    metrics->Count(rpc, began, answer.status());
    if (answer.ok()) *response = std::move(*answer);
    reactor->Finish(ToGrpc(answer.status()));
  });
  return reactor;
}

// One line for a refusal that a person should see.
inline void LogRefusal(absl::string_view what, const grpc::CallbackServerContext& context,
                       const absl::Status& status) {
  if (status.ok() || ReasonOf(status) == Reason::kSettling) return;
  LOG(WARNING) << "peer " << context.peer() << ": " << what
               << " refused: " << ReasonName(ReasonOf(status)) << ": " << status.message();
}

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_RPC_UNARY_H_
