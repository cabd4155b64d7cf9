// BindRoom: says which dp rank has a room.
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {

grpc::ServerUnaryReactor* BootstrapService::BindRoom(grpc::CallbackServerContext* context,
                                                     const v1::BindRoomRequest* request,
                                                     v1::BindRoomResponse* response) {
  return AnswerUnary(Rpc::kBindRoom, &metrics_, context, response,
                     [&](auto done) { store_->Submit(*request, done); });
}

}  // namespace baton::registry
