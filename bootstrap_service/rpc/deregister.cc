// Deregister: gives leases back.
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {

grpc::ServerUnaryReactor* BootstrapService::Deregister(grpc::CallbackServerContext* context,
                                                       const v1::DeregisterRequest* request,
                                                       v1::DeregisterResponse* response) {
  return AnswerUnary(Rpc::kDeregister, &metrics_, context, response,
                     [&](auto done) { store_->Submit(*request, done); });
}

}  // namespace baton::registry
