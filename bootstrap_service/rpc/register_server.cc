// RegisterServer: issues the incarnation of a start.
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {

grpc::ServerUnaryReactor* BootstrapService::RegisterServer(grpc::CallbackServerContext* context,
                                                           const v1::RegisterServerRequest* request,
                                                           v1::RegisterServerResponse* response) {
  return AnswerUnary(Rpc::kRegisterServer, &metrics_, context, response, [&](auto done) {
    store_->Submit(*request, [done, context](absl::StatusOr<v1::RegisterServerResponse> answer) {
      LogRefusal("RegisterServer", *context, answer.status());
      done(std::move(answer));
    });
  });
}

}  // namespace baton::registry
