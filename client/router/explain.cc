#include "client/router/explain.h"

#include <algorithm>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/ids.h"
#include "planner/compatible.h"
#include "planner/layout_proto.h"
#include "planner/plan.h"

namespace baton {
namespace {

constexpr int kMissingShown = 4;

// The name without its prefix: "READY".
template <typename Name>
std::string Short(const Name& name, absl::string_view prefix) {
  return std::string(absl::StripPrefix(absl::string_view(name), prefix));
}

std::string RoleName(v1::Role role) { return Short(v1::Role_Name(role), "ROLE_"); }

absl::StatusOr<planner::ServerSpec> SpecOf(const v1::ServerRecord& server) {
  absl::StatusOr<planner::ServerSpec> spec = planner::FromProto(server.spec());
  if (!spec.ok()) return spec;
  if (absl::Status status = planner::ValidateSpec(*spec); !status.ok()) return status;
  return spec;
}

std::string Outcome(const absl::Status& status) {
  return status.ok() ? "valid" : std::string(status.message());
}

std::optional<Obstacle> CompareSpecs(const v1::ServerRecord& prefill,
                                     const v1::ServerRecord& decode) {
  auto source = SpecOf(prefill);
  auto target = SpecOf(decode);
  if (!source.ok() || !target.ok()) {
    return Obstacle{Reason::kBadSpec, "spec", Outcome(source.status()), Outcome(target.status())};
  }
  auto found = planner::FindIncompatibility(*source, *target);
  if (!found) return std::nullopt;
  return Obstacle{Reason::kIncompatible, found->field, found->source, found->target};
}

}  // namespace

std::string DescribeState(const v1::ServerRecord& server) {
  std::string text = Short(v1::ServerState_Name(server.state()), "SERVER_STATE_");
  if (server.missing_count() == 0) return text;
  std::vector<std::string> named;
  for (const v1::RankCoord& rank : server.missing()) {
    if (named.size() == kMissingShown) break;
    named.push_back(ToString(planner::FromProto(rank)));
  }
  absl::StrAppend(&text, ", ", server.missing_count(),
                  " ranks missing: ", absl::StrJoin(named, " "));
  if (server.missing_count() > named.size()) absl::StrAppend(&text, " ...");
  return text;
}

std::vector<Obstacle> ExplainPair(const v1::ServerRecord& prefill, const v1::ServerRecord& decode) {
  std::vector<Obstacle> found;
  if (prefill.role() != v1::ROLE_PREFILL || decode.role() != v1::ROLE_DECODE) {
    found.push_back({Reason::kBadSpec, "role", RoleName(prefill.role()), RoleName(decode.role())});
  }
  if (prefill.model() != decode.model()) {
    found.push_back({Reason::kIncompatible, "model", prefill.model(), decode.model()});
  }
  for (const char* label : {"revision", "engine"}) {
    const auto ours = prefill.labels().find(label);
    const auto theirs = decode.labels().find(label);
    if (ours != prefill.labels().end() && theirs != decode.labels().end() &&
        ours->second != theirs->second) {
      found.push_back(
          {Reason::kIncompatible, absl::StrCat("label ", label), ours->second, theirs->second});
    }
  }
  if (auto specs = CompareSpecs(prefill, decode)) found.push_back(*std::move(specs));
  const v1::ServerState states[] = {prefill.state(), decode.state()};
  const auto has = [&](v1::ServerState state) {
    return std::find(std::begin(states), std::end(states), state) != std::end(states);
  };
  const bool ready = states[0] == v1::SERVER_STATE_READY && states[1] == v1::SERVER_STATE_READY;
  if (!ready) {
    found.push_back({has(v1::SERVER_STATE_DRAINING) ? Reason::kDraining : Reason::kNotReady,
                     "state", DescribeState(prefill), DescribeState(decode)});
  }
  return found;
}

std::string ToString(const Obstacle& obstacle, const std::string& prefill_name,
                     const std::string& decode_name) {
  return absl::StrCat(ReasonName(obstacle.reason), " ", obstacle.field, ": prefill ", prefill_name,
                      " has ", obstacle.prefill, ", decode ", decode_name, " has ",
                      obstacle.decode);
}

absl::Status CheckPair(const v1::ServerRecord& prefill, const v1::ServerRecord& decode) {
  std::vector<Obstacle> found = ExplainPair(prefill, decode);
  if (found.empty()) return absl::OkStatus();
  const Obstacle& first = found.front();
  return Error(first.reason,
               absl::StrCat(first.field, ": prefill ", prefill.name(), " has ", first.prefill,
                            ", decode ", decode.name(), " has ", first.decode));
}

}  // namespace baton
