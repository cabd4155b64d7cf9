// ListServers: the servers of a role and model by pages, from the bytes that the registry keeps of
// them.
#include <vector>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/batch.h"
#include "bootstrap_service/rpc/bytes.h"
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/rpc/unary.h"
#include "common/clock.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

// Of a page; a record alone may be larger.
constexpr size_t kPageBytes = 2 << 20;
// Of an answer to a caller that knows no pages: what callers take, with room for the rest.
constexpr size_t kAnswerBytes = 60 << 20;

}  // namespace

grpc::ServerUnaryReactor* BootstrapService::ListServers(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request,
                                                        grpc::ByteBuffer* response) {
  return AnswerUnary(Rpc::kListServers, &metrics_, context, response, [&](auto done) {
    v1::ListServersRequest parsed;
    if (absl::Status status = Parse(*request, &parsed); !status.ok()) return done(status);
    const bool pages = parsed.page_size() > 0;
    Listing listing =
        store_->List({parsed.role(), parsed.model(), parsed.page_token(),
                      pages ? parsed.page_size() : SIZE_MAX, pages ? kPageBytes : kAnswerBytes});
    if (listing.more && !pages) {
      return done(
          Error(Reason::kTooLarge, absl::StrCat("the list is above ", kAnswerBytes >> 20,
                                                " MiB, more than one answer carries: ask for pages "
                                                "(page_size), as programs of this version do")));
    }
    v1::ListServersResponse rest;
    rest.mutable_revision()->set_store_epoch(store_->store_epoch());
    rest.mutable_revision()->set_number(listing.number);
    rest.set_unix_ms(UnixMillis());
    if (listing.more) rest.set_next_page_token(listing.servers.back()->name);
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
