// ResolveRoute: both servers of a pair, and whether they fit.
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"

namespace baton::registry {
namespace {

absl::StatusOr<v1::ServerRecord> RecordOfServer(Store* store, const std::string& name,
                                                v1::Role role) {
  absl::StatusOr<Listing> listing = store->Get(name);
  if (!listing.ok()) return listing.status();
  v1::ServerRecord record;
  record.ParseFromString(listing->servers.front()->record);
  if (record.role() == role) return record;
  return Error(Reason::kBadSpec,
               absl::StrCat("server ", name, " has ", v1::Role_Name(record.role()), ", not ",
                            v1::Role_Name(role)));
}

}  // namespace

grpc::ServerUnaryReactor* BootstrapService::ResolveRoute(grpc::CallbackServerContext* context,
                                                         const v1::ResolveRouteRequest* request,
                                                         v1::ResolveRouteResponse* response) {
  return AnswerUnary(context, response, [&](auto done) {
    auto prefill = RecordOfServer(store_, request->prefill(), v1::ROLE_PREFILL);
    if (!prefill.ok()) return done(prefill.status());
    auto decode = RecordOfServer(store_, request->decode(), v1::ROLE_DECODE);
    if (!decode.ok()) return done(decode.status());
    v1::ResolveRouteResponse answer;
    *answer.mutable_prefill() = *std::move(prefill);
    *answer.mutable_decode() = *std::move(decode);
    done(std::move(answer));
  });
}

}  // namespace baton::registry
