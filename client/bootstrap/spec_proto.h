// A server's spec as the message that the registry keeps.
#ifndef BATON_CLIENT_BOOTSTRAP_SPEC_PROTO_H_
#define BATON_CLIENT_BOOTSTRAP_SPEC_PROTO_H_

#include "baton/v1/layout.pb.h"
#include "planner/layout.h"

namespace baton {

v1::ServerSpec SpecToProto(const planner::ServerSpec& spec);

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_SPEC_PROTO_H_
