// What an implementation gives the conformance suite. Link :suite into a test and instantiate:
//
//   INSTANTIATE_TEST_SUITE_P(Tcp, TransportConformance, testing::Values(Candidate{...}));
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_FACTORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_FACTORY_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/region_twin.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

struct Candidate {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<Transport>>(bool checksums)> create;
  // Copies in user space for each byte that lands.
  uint64_t copies = 0;
  // False: it reaches no other process (a device in memory).
  bool processes = true;
  // It pins exported memory, through its mapping: a sparse pool does not stay so.
  bool pins_memory = false;
  // Pools are handed over as dma-bufs, and whether their device orders what is written to it.
  bool gpu = false;
  bool ordered_writes = false;
  // Where not null: puts a region into memory of another kind, in place of `gpu`. What the test
  // sees of it is a copy in host memory then. Null: the region stays as it is.
  std::function<std::unique_ptr<RegionTwin>(LocalRegion* region)> move = nullptr;
  // False: OnSegmentDone means that the target has read the pages, so it waits for the target.
  bool done_without_target = true;
};

inline std::ostream& operator<<(std::ostream& out, const Candidate& candidate) {
  return out << candidate.name;
}

class TransportConformance : public testing::TestWithParam<Candidate> {};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_FACTORY_H_
