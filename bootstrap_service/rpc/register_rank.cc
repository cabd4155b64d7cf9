// RegisterRank: fills one slot and grants its lease.
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {

grpc::ServerUnaryReactor* BootstrapService::RegisterRank(grpc::CallbackServerContext* context,
                                                         const v1::RegisterRankRequest* request,
                                                         v1::RegisterRankResponse* response) {
  return AnswerUnary(Rpc::kRegisterRank, &metrics_, context, response, [&](auto done) {
    store_->Submit(*request, [done, context](absl::StatusOr<v1::RegisterRankResponse> answer) {
      LogRefusal("RegisterRank", *context, answer.status());
      done(std::move(answer));
    });
  });
}

}  // namespace baton::registry
