// The conformance suite on real verbs devices: whatever the host has, soft-RoCE on the bed.
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/factory.h"
#include "transfer_agent/transport/verbs/factory.h"

namespace baton::transport {
namespace {

Candidate Verbs(const std::string& name, uint32_t rails, bool memory_windows) {
  verbs::VerbsOptions options;
  options.wishes.rails_max = rails;
  options.queue_pairs_per_rail = 1;
  options.memory_windows = memory_windows;
  options.fence_timeout = std::chrono::milliseconds(100);
  return {.name = name,
          .create = [options](bool) { return CreateVerbsTransport(options); },
          .copies = 0,
          .pins_memory = true};
}

INSTANTIATE_TEST_SUITE_P(Rxe, TransportConformance,
                         testing::Values(Verbs("one_rail", 1, false), Verbs("two_rails", 2, false),
                                         Verbs("windows", 1, true)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace baton::transport
