// What a program does about threads that it cannot have: libraries below abort, or wait for ever,
// when one of theirs cannot be started.
#ifndef BATON_COMMON_THREAD_LIMIT_H_
#define BATON_COMMON_THREAD_LIMIT_H_

#include <cstddef>

#include "absl/status/status.h"

namespace baton {

// CONFIG when `least` more threads cannot be had now, which is found by starting and ending them.
// Called once, at the start.
absl::Status CheckThreadLimit(size_t least);

// How many threads a gRPC server of this machine starts by itself, at most.
size_t ThreadsOfGrpc();

// From here the process ends in `seconds` at the latest, with exit code 3 and a line on standard
// error, whatever waits. Needs no thread. Once, when it is about to stop.
void EndWithin(unsigned seconds);

}  // namespace baton

#endif  // BATON_COMMON_THREAD_LIMIT_H_
