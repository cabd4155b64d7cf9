#include "client/bootstrap/spec_proto.h"

namespace baton {

v1::ServerSpec SpecToProto(const planner::ServerSpec& spec) {
  v1::ServerSpec out;
  out.mutable_sizes()->set_dp(spec.sizes.dp);
  out.mutable_sizes()->set_pp(spec.sizes.pp);
  out.mutable_sizes()->set_cp(spec.sizes.cp);
  out.mutable_sizes()->set_tp(spec.sizes.tp);
  for (const std::vector<uint32_t>& stage : spec.stages) {
    out.add_stages()->mutable_layers()->Add(stage.begin(), stage.end());
  }
  out.set_cp_sharding(static_cast<v1::CpSharding>(spec.cp_sharding));
  for (const planner::PageGroup& group : spec.page_groups) {
    out.add_page_groups()->set_page_tokens(group.page_tokens);
  }
  for (const planner::TensorSpec& tensor : spec.tensors) {
    v1::TensorSpec* t = out.add_tensors();
    t->set_kind(static_cast<v1::Kind>(tensor.kind));
    t->set_name(tensor.name);
    t->mutable_layers()->Add(tensor.layers.begin(), tensor.layers.end());
    t->set_page_group(tensor.page_group);
    t->set_dtype(tensor.dtype);
    t->set_heads(tensor.heads);
    t->set_head_bytes(tensor.head_bytes);
    t->set_tokens_per_entry(tensor.tokens_per_entry);
    t->set_tp_sharded(tensor.tp_sharded);
    t->mutable_sub_blocks()->Add(tensor.sub_blocks.begin(), tensor.sub_blocks.end());
  }
  return out;
}

}  // namespace baton
