#include "client/rpc/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "baton/v1/types.pb.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"

namespace baton {
namespace {

Reason ReasonOfCode(grpc::StatusCode code) {
  switch (code) {
    case grpc::UNAVAILABLE:
      return Reason::kPeerLost;
    case grpc::DEADLINE_EXCEEDED:
      return Reason::kDeadline;
    case grpc::CANCELLED:
    case grpc::ABORTED:
      return Reason::kAborted;
    case grpc::RESOURCE_EXHAUSTED:
      return Reason::kTooLarge;
    case grpc::INVALID_ARGUMENT:
    case grpc::UNIMPLEMENTED:
    case grpc::INTERNAL:
      return Reason::kBadMessage;
    default:
      return Reason::kUnknown;
  }
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  v1::ErrorDetail detail = ToDetail(status);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), detail.message(),
                      detail.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  v1::ErrorDetail detail;
  bool ours = !status.error_details().empty() && detail.ParseFromString(status.error_details()) &&
              !detail.reason().empty();
  if (!ours) {
    detail.Clear();
    detail.set_reason(std::string(ReasonName(ReasonOfCode(status.error_code()))));
    detail.set_message(status.error_message());
  }
  if (!what.empty()) detail.set_message(absl::StrCat(what, ": ", detail.message()));
  return FromDetail(detail);
}

}  // namespace baton
