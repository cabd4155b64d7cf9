#include "bootstrap_service/registry/check.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/topology.h"
#include "common/reason.h"
#include "common/utf8.h"
#include "planner/layout_proto.h"
#include "planner/plan.h"

namespace baton::registry {
namespace {

using Labels = google::protobuf::Map<std::string, std::string>;

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return Error(Reason::kBadSpec, absl::StrCat(field, ": ", what));
}

absl::Status CheckText(absl::string_view field, absl::string_view text, size_t min, size_t max) {
  if (text.size() < min) return Bad(field, "is missing");
  if (text.size() > max) {
    return Error(Reason::kTooLarge,
                 absl::StrCat(field, ": ", text.size(), " bytes, at most ", max, " are allowed"));
  }
  if (!IsCleanUtf8(text)) return Bad(field, "contains a control character, or is not UTF-8");
  return absl::OkStatus();
}

absl::Status CheckLabels(const Labels& labels) {
  if (labels.size() > kLabelsMax) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("labels: ", labels.size(), ", at most ", kLabelsMax, " are allowed"));
  }
  for (const auto& [key, value] : labels) {
    absl::Status status = CheckText("labels: key", key, 1, kLabelKeyBytesMax);
    if (!status.ok()) return status;
    status = CheckText(absl::StrCat("labels[", key, "]"), value, 0, kLabelValueBytesMax);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckNameText(const std::string& field, absl::string_view name,
                           absl::string_view also_allowed) {
  absl::Status status = CheckText(field, name, 1, kNameBytesMax);
  if (!status.ok()) return status;
  for (char c : name) {
    bool fine = absl::ascii_isalnum(c) || also_allowed.find(c) != also_allowed.npos;
    if (fine) continue;
    return Bad(field,
               absl::StrCat("has a character other than letters, digits and ", also_allowed));
  }
  return absl::OkStatus();
}

// As a server's name, or an address with an IPv6 host in brackets.
template <typename Aliases>
absl::Status CheckAliases(const Aliases& aliases) {
  if (aliases.size() > static_cast<int>(kAliasesMax)) {
    return Error(Reason::kTooLarge, absl::StrCat("aliases: ", aliases.size(), ", at most ",
                                                 kAliasesMax, " are allowed"));
  }
  for (int i = 0; i < aliases.size(); ++i) {
    absl::Status status = CheckNameText(absl::StrCat("aliases[", i, "]"), aliases[i], "-_.:/@[]");
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckSpec(const v1::ServerSpec& spec, const Limits& limits) {
  RankCoord sizes = FromProto(spec.sizes());
  if (SlotsOf(sizes, limits.ranks_per_server) == 0) {
    return Bad("spec.sizes",
               absl::StrCat(ToString(sizes), " is not 1 to ", limits.ranks_per_server, " ranks"));
  }
  if (size_t bytes = spec.ByteSizeLong(); bytes > kSpecBytesMax) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("spec: ", bytes, " bytes, at most ", kSpecBytesMax, " are allowed"));
  }
  for (const v1::TensorSpec& tensor : spec.tensors()) {
    absl::Status status = CheckText("spec.tensors: name", tensor.name(), 0, kNameBytesMax);
    if (status.ok()) status = CheckText("spec.tensors: dtype", tensor.dtype(), 0, kNameBytesMax);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// host:port with a port that can be dialled; an IPv6 host stands in brackets.
absl::Status CheckAddress(absl::string_view address) {
  absl::Status status = CheckText("rank.agent_address", address, 1, kAddressBytesMax);
  if (!status.ok()) return status;
  size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port == 0 || port > 65535) {
    return Bad("rank.agent_address", absl::StrCat("'", address, "' is not host:port"));
  }
  return absl::OkStatus();
}

// The fields that both requests have.
template <typename Request>
absl::Status CheckCommon(const Request& request, const Limits& limits) {
  absl::Status status = CheckText("launch_id", request.launch_id(), 1, kLaunchIdBytesMax);
  if (!status.ok()) return status;
  if (request.role() != v1::ROLE_PREFILL && request.role() != v1::ROLE_DECODE) {
    return Bad("role", absl::StrCat(request.role(), " is neither prefill nor decode"));
  }
  status = CheckText("model", request.model(), 0, kModelBytesMax);
  if (!status.ok()) return status;
  status = CheckLabels(request.labels());
  if (status.ok()) status = CheckAliases(request.aliases());
  if (!status.ok()) return status;
  return CheckSpec(request.spec(), limits);
}

absl::Status CheckRank(const v1::RegisterRankRequest& request, const Limits& limits) {
  absl::Status status = CheckCommon(request, limits);
  if (!status.ok()) return status;
  if (request.incarnation() == 0 || request.incarnation() > kIncarnationMax) {
    return Bad("incarnation",
               absl::StrCat(request.incarnation(), " was not issued: call RegisterServer first"));
  }
  if (!request.has_rank() || !request.rank().has_coord()) return Bad("rank", "is missing");
  if (request.rank().epoch() == 0) return Bad("rank.epoch", "is missing");
  status = CheckAddress(request.rank().agent_address());
  if (!status.ok()) return status;
  RankCoord sizes = FromProto(request.spec().sizes());
  RankCoord coord = FromProto(request.rank().coord());
  if (!Inside(coord, sizes)) {
    return Error(Reason::kBadCoord,
                 absl::StrCat("rank ", ToString(coord), " is outside of the server's sizes ",
                              ToString(sizes)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckName(absl::string_view field, absl::string_view name) {
  return CheckNameText(std::string(field), name, "-_.:/@");
}

absl::Status CheckMeaning(const v1::ServerSpec& spec) {
  absl::StatusOr<planner::ServerSpec> parsed = planner::FromProto(spec);
  absl::Status status = parsed.ok() ? planner::ValidateSpec(*parsed) : parsed.status();
  return status.ok() ? status : Bad("spec", status.message());
}

absl::Status CheckRequest(const v1::RegisterServerRequest& request, const Limits& limits) {
  absl::Status status = CheckName("name", request.name());
  if (status.ok())
    status = CheckText("agent_address", request.agent_address(), 0, kAddressBytesMax);
  return status.ok() ? CheckCommon(request, limits) : status;
}

absl::Status CheckRequest(const v1::RegisterRankRequest& request, const Limits& limits) {
  absl::Status status = CheckName("server", request.server());
  if (!status.ok()) return status;
  status = CheckRank(request, limits);
  if (status.ok()) return status;
  // The same refusal, with the rank it concerns.
  return Error(ReasonOf(status), status.message(),
               RankRef{request.server(), FromProto(request.rank().coord())});
}

}  // namespace baton::registry
