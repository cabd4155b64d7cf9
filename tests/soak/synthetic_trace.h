// Requests as a chat service gets them, made up: for a soak without a recorded trace.
#ifndef BATON_TESTS_SOAK_SYNTHETIC_TRACE_H_
#define BATON_TESTS_SOAK_SYNTHETIC_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/demo/workload/trace.h"

namespace baton::soak {

// Poisson arrivals, 3.3 a second; lengths log-normal, the median near 6 900 tokens and the longest
// of ten thousand above 100 000; half of them go on with an open conversation, whose blocks they
// repeat. Always the same for the same seed.
std::vector<demo::Request> SyntheticTrace(uint64_t seed, size_t requests);

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_SYNTHETIC_TRACE_H_
