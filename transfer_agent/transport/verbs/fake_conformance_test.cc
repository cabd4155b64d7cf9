#include <memory>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/factory.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport {
namespace {

using verbs::FakeNet;
using verbs::VerbsOptions;
using verbs::VerbsTransport;

VerbsOptions Quick() {
  VerbsOptions options;
  options.send_queue = 128;
  options.receive_queue = 64;
  options.fence_timeout = std::chrono::seconds(1);
  return options;
}

// All transports of one candidate are on one net of two devices.
Candidate Fake(const std::string& name, const VerbsOptions& options) {
  auto net = std::make_shared<FakeNet>();
  net->AddDevice({.name = "fake0", .port = {}});
  net->AddDevice({.name = "fake1", .port = {}});
  return {.name = name,
          .create = [net, options](bool) -> absl::StatusOr<std::unique_ptr<Transport>> {
            return VerbsTransport::Create(net->NewProvider(), options);
          },
          .copies = 0,
          .processes = false};
}

Candidate OneRail() {
  VerbsOptions options = Quick();
  options.wishes.rails_max = 1;
  return Fake("one_rail", options);
}

// Queues that fill up at once.
Candidate Narrow() {
  VerbsOptions options = Quick();
  options.wishes.rails_max = 1;
  options.send_queue = 8;
  options.receive_queue = 16;
  options.gather_max = 1;
  options.posted_bytes_max = 256 << 10;
  return Fake("narrow", options);
}

Candidate ThreeQueuePairsOnEachOfTwoRails() {
  VerbsOptions options = Quick();
  options.queue_pairs_per_rail = 3;
  return Fake("two_rails", options);
}

// Pools on a GPU, over a bus that holds writes back until something is read.
Candidate Gpu() {
  Candidate candidate = Fake("gpu", Quick());
  candidate.gpu = true;
  return candidate;
}

// Each channel with keys of its own.
Candidate Windows() {
  VerbsOptions options = Quick();
  options.queue_pairs_per_rail = 2;
  options.memory_windows = true;
  return Fake("windows", options);
}

INSTANTIATE_TEST_SUITE_P(FakeVerbs, TransportConformance,
                         testing::Values(OneRail(), Narrow(), ThreeQueuePairsOnEachOfTwoRails(),
                                         Gpu(), Windows()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace baton::transport
