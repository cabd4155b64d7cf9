// ResolveRoute: both servers of a pair, and whether they fit.
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"
#include "planner/layout_proto.h"
#include "planner/plan.h"

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

// Empty when the two fit; otherwise the field and both values.
std::string WhyNot(const v1::ServerSpec& prefill, const v1::ServerSpec& decode) {
  auto source = planner::FromProto(prefill);
  auto target = planner::FromProto(decode);
  absl::Status status = source.status();
  status.Update(target.status());
  if (status.ok()) status = planner::CheckCompatible(*source, *target);
  return std::string(status.message());
}

}  // namespace

grpc::ServerUnaryReactor* BootstrapService::ResolveRoute(grpc::CallbackServerContext* context,
                                                         const v1::ResolveRouteRequest* request,
                                                         v1::ResolveRouteResponse* response) {
  return AnswerUnary(Rpc::kResolveRoute, &metrics_, context, response, [&](auto done) {
    auto prefill = RecordOfServer(store_, request->prefill(), v1::ROLE_PREFILL);
    if (!prefill.ok()) return done(prefill.status());
    auto decode = RecordOfServer(store_, request->decode(), v1::ROLE_DECODE);
    if (!decode.ok()) return done(decode.status());
    v1::ResolveRouteResponse answer;
    answer.set_incompatible(WhyNot(prefill->spec(), decode->spec()));
    *answer.mutable_prefill() = *std::move(prefill);
    *answer.mutable_decode() = *std::move(decode);
    done(std::move(answer));
  });
}

}  // namespace baton::registry
