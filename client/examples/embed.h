// The example of README.md, as a function that a test can call.
#ifndef BATON_CLIENT_EXAMPLES_EMBED_H_
#define BATON_CLIENT_EXAMPLES_EMBED_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "client/engine/engine_client.h"

namespace baton::examples {

// Fills pages of the pool with the KV of tokens [begin, end), and names them.
using Compute = std::function<std::vector<int32_t>(uint64_t begin, uint64_t end)>;

// Attaches the rank, hands one prompt over and detaches.
absl::Status HandOver(EngineOptions options, RoomKey key, uint64_t tokens, Compute compute);

}  // namespace baton::examples

#endif  // BATON_CLIENT_EXAMPLES_EMBED_H_
