// GetServer: one server, from the bytes that the registry keeps of it.
#include "bootstrap_service/registry/batch.h"
#include "bootstrap_service/rpc/bytes.h"
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {

grpc::ServerUnaryReactor* BootstrapService::GetServer(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request,
                                                      grpc::ByteBuffer* response) {
  return AnswerUnary(Rpc::kGetServer, &metrics_, context, response, [&](auto done) {
    v1::GetServerRequest parsed;
    if (absl::Status status = Parse(*request, &parsed); !status.ok()) return done(status);
    absl::StatusOr<Listing> listing = store_->Get(parsed.name());
    if (!listing.ok()) return done(listing.status());
    const ServerImagePtr& image = listing->servers.front();
    v1::GetServerResponse rest;
    rest.mutable_revision()->set_store_epoch(store_->store_epoch());
    rest.mutable_revision()->set_number(listing->number);
    // Fields of a message may come in any order: the record goes last, without a copy.
    std::string head = rest.SerializeAsString();
    AppendHeader(v1::GetServerResponse::kServerFieldNumber, image->record.size(), &head);
    grpc::Slice slices[] = {grpc::Slice(head), SliceOf(image, image->record)};
    done(grpc::ByteBuffer(slices, 2));
  });
}

}  // namespace baton::registry
