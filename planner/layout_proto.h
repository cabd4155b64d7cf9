// Between the messages of baton/v1/layout.proto and the planner's own types. FromProto bounds every
// count and refuses what the types cannot hold (BAD_SPEC names the field); it does not judge
// whether the values make sense: that is ValidateSpec's and ValidateLayout's business.
#ifndef BATON_PLANNER_LAYOUT_PROTO_H_
#define BATON_PLANNER_LAYOUT_PROTO_H_

#include "absl/status/statusor.h"
#include "baton/v1/layout.pb.h"
#include "baton/v1/types.pb.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton::planner {

v1::RankCoord ToProto(const RankCoord& coord);
v1::ServerSpec ToProto(const ServerSpec& spec);
v1::RankLayout ToProto(const RankLayout& layout);
v1::RoutePolicy ToProto(const RoutePolicy& policy);

RankCoord FromProto(const v1::RankCoord& coord);
absl::StatusOr<ServerSpec> FromProto(const v1::ServerSpec& message);
absl::StatusOr<RankLayout> FromProto(const v1::RankLayout& message);
// Unspecified policies are kOne, as from an older peer.
absl::StatusOr<RoutePolicy> FromProto(const v1::RoutePolicy& message);

}  // namespace baton::planner

#endif  // BATON_PLANNER_LAYOUT_PROTO_H_
