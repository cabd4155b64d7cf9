// Servers for the tests and benches of this folder.
#ifndef BATON_CLIENT_ROUTER_TESTING_H_
#define BATON_CLIENT_ROUTER_TESTING_H_

#include <map>
#include <memory>
#include <string>

#include "baton/v1/registry.pb.h"
#include "planner/layout.h"
#include "planner/layout_proto.h"

namespace baton::router_testing {

// What a server is made of. Two fit when their dtypes are equal.
struct Shape {
  std::string dtype = "bf16";
  uint32_t dp = 1;
  uint32_t tp = 1;
};

inline planner::ServerSpec SpecOf(const Shape& shape) {
  planner::ServerSpec spec;
  spec.sizes = {shape.dp, 1, 1, shape.tp};
  spec.stages = {{0, 1}};
  spec.page_groups = {{16}};
  planner::TensorSpec k;
  k.kind = planner::Kind::kK;
  k.layers = {0, 1};
  k.dtype = shape.dtype;
  k.heads = 8;
  k.head_bytes = 256;
  k.tp_sharded = true;
  spec.tensors = {k};
  return spec;
}

struct ServerShape {
  std::string name;
  v1::Role role = v1::ROLE_PREFILL;
  std::string model = "m";
  Shape shape{};
  v1::ServerState state = v1::SERVER_STATE_READY;
  uint32_t rooms = 0;
  std::map<std::string, std::string> labels{};
};

inline v1::ServerRecord RecordOf(const ServerShape& server) {
  v1::ServerRecord record;
  record.set_name(server.name);
  record.set_incarnation(1);
  record.set_role(server.role);
  record.set_model(server.model);
  *record.mutable_spec() = planner::ToProto(SpecOf(server.shape));
  record.set_state(server.state);
  for (uint32_t rank = 0; rank < server.shape.dp * server.shape.tp; ++rank) {
    v1::RankRecord* one = record.add_ranks();
    one->mutable_coord()->set_dp(rank / server.shape.tp);
    one->mutable_coord()->set_tp(rank % server.shape.tp);
    one->set_epoch(1);
    one->set_agent_address(server.name + ":" + std::to_string(7000 + rank / server.shape.tp));
  }
  record.mutable_load()->set_rooms(server.rooms);
  record.mutable_load()->set_healthy(true);
  record.mutable_labels()->insert(server.labels.begin(), server.labels.end());
  return record;
}

inline std::shared_ptr<const v1::ServerRecord> Share(const ServerShape& server) {
  return std::make_shared<const v1::ServerRecord>(RecordOf(server));
}

inline std::shared_ptr<const v1::ServerRecord> Prefill(const std::string& name, Shape shape = {}) {
  return Share({name, v1::ROLE_PREFILL, "m", shape});
}
inline std::shared_ptr<const v1::ServerRecord> Decode(const std::string& name, Shape shape = {}) {
  return Share({name, v1::ROLE_DECODE, "m", shape});
}

}  // namespace baton::router_testing

#endif  // BATON_CLIENT_ROUTER_TESTING_H_
