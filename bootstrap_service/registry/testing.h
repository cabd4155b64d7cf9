// Requests as the tests of this folder make them.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_TESTING_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_TESTING_H_

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/now.h"
#include "bootstrap_service/registry/topology.h"

namespace baton::registry {

constexpr auto kMs = std::chrono::milliseconds(1);
constexpr auto kLease = std::chrono::milliseconds(3000);

// A clock that the test moves.
struct TestClock {
  Now now{TimePoint(std::chrono::hours(1)), 1'700'000'000'000};
  void Pass(Duration time) {
    now.time += time;
    now.unix_ms += std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  }
};

inline v1::ServerSpec TestSpec(const RankCoord& sizes) {
  v1::ServerSpec spec;
  SetProto(sizes, spec.mutable_sizes());
  for (uint32_t pp = 0; pp < sizes.pp; ++pp) spec.add_stages()->add_layers(pp);
  spec.set_cp_sharding(v1::CP_SHARDING_REPLICATED);
  spec.add_page_groups()->set_page_tokens(16);
  v1::TensorSpec* k = spec.add_tensors();
  k->set_kind(v1::KIND_K);
  for (uint32_t pp = 0; pp < sizes.pp; ++pp) k->add_layers(pp);
  k->set_dtype("bf16");
  k->set_heads(8);
  k->set_head_bytes(256);
  k->set_tokens_per_entry(1);
  k->set_tp_sharded(true);
  return spec;
}

inline v1::RegisterServerRequest ServerRequest(const std::string& name, const std::string& launch,
                                               const RankCoord& sizes) {
  v1::RegisterServerRequest request;
  request.set_name(name);
  request.set_launch_id(launch);
  request.set_role(v1::ROLE_PREFILL);
  request.set_model("model");
  *request.mutable_spec() = TestSpec(sizes);
  return request;
}

inline v1::RegisterRankRequest RankRequest(const std::string& name, const std::string& launch,
                                           uint64_t incarnation, const RankCoord& sizes,
                                           const RankCoord& coord, uint64_t epoch) {
  v1::RegisterRankRequest request;
  request.set_server(name);
  request.set_incarnation(incarnation);
  SetProto(coord, request.mutable_rank()->mutable_coord());
  request.mutable_rank()->set_epoch(epoch);
  request.mutable_rank()->set_agent_address(absl::StrCat("10.0.0.1:", 1000 + epoch % 60000));
  *request.mutable_spec() = TestSpec(sizes);
  request.set_role(v1::ROLE_PREFILL);
  request.set_model("model");
  request.set_launch_id(launch);
  return request;
}

// A field of a newer schema, on every message of the request.
template <typename Message>
Message WithUnknownField(const Message& message) {
  Message out;
  const std::string unknown = "\x9a\x3f\x03new";  // field 1011, three bytes
  EXPECT_TRUE(out.ParseFromString(message.SerializeAsString() + unknown));
  EXPECT_GT(out.GetReflection()->GetUnknownFields(out).field_count(), 0);
  return out;
}

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_TESTING_H_
