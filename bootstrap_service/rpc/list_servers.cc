// ListServers: all servers of a role and model, from the bytes that the registry keeps of them.
#include <vector>

#include "bootstrap_service/registry/batch.h"
#include "bootstrap_service/rpc/bytes.h"
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"
#include "common/clock.h"

namespace baton::registry {

grpc::ServerUnaryReactor* BootstrapService::ListServers(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request,
                                                        grpc::ByteBuffer* response) {
  return AnswerUnary(Rpc::kListServers, &metrics_, context, response, [&](auto done) {
    v1::ListServersRequest parsed;
    if (absl::Status status = Parse(*request, &parsed); !status.ok()) return done(status);
    Listing listing = store_->List(parsed.role(), parsed.model());
    v1::ListServersResponse rest;
    rest.mutable_revision()->set_store_epoch(store_->store_epoch());
    rest.mutable_revision()->set_number(listing.number);
    rest.set_unix_ms(UnixMillis());
    std::vector<grpc::Slice> slices = {grpc::Slice(rest.SerializeAsString())};
    for (const ServerImagePtr& image : listing.servers) {
      std::string head;
      AppendHeader(v1::ListServersResponse::kServersFieldNumber, image->record.size(), &head);
      slices.emplace_back(head);
      slices.push_back(SliceOf(image, image->record));
    }
    done(grpc::ByteBuffer(slices.data(), slices.size()));
  });
}

}  // namespace baton::registry
