// Drain: takes a server out of the choice for new rooms, or puts it back.
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {

grpc::ServerUnaryReactor* BootstrapService::Drain(grpc::CallbackServerContext* context,
                                                  const v1::DrainRequest* request,
                                                  v1::DrainResponse* response) {
  return AnswerUnary(Rpc::kDrain, &metrics_, context, response, [&](auto done) {
    store_->Submit(*request, [done, context](absl::StatusOr<v1::DrainResponse> answer) {
      LogRefusal("Drain", *context, answer.status());
      done(std::move(answer));
    });
  });
}

}  // namespace baton::registry
