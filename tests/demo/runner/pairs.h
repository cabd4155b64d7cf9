// Pairs of topologies with names, each quick to run: what a prefill server and a decode server may
// look like, and what SGLang's rules leave out (../../docs/design/ says more of the planner).
#ifndef BATON_TESTS_DEMO_RUNNER_PAIRS_H_
#define BATON_TESTS_DEMO_RUNNER_PAIRS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace baton::demo {

struct NamedPair {
  const char* name;
  const char* preset;
  const char* prefill;  // model/topology.h
  const char* decode;
  bool spread = false;
};

absl::Span<const NamedPair> NamedPairs();

// Null when there is none of that name.
const NamedPair* FindPair(absl::string_view name);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_PAIRS_H_
