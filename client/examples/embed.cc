// How an engine embeds Baton: a prefill rank that hands one prompt over. The lines between the
// markers stand in README.md; a test runs them against a real agent's socket.
#include "client/examples/embed.h"

#include <utility>

namespace baton::examples {

// [embed]
// #include "client/engine/engine_client.h"
absl::Status HandOver(EngineOptions options, RoomKey key, uint64_t tokens, Compute compute) {
  auto engine = EngineClient::Attach(std::move(options));  // once, when the engine starts
  if (!engine.ok()) return engine.status();
  auto room = (*engine)->OpenSend({.room = key, .total_tokens = tokens});
  if (!room.ok()) return room.status();
  RoomStatus status;
  do {  // until the decode side has offered its pages; an engine runs other requests meanwhile
    status = (*engine)->Poll(*room);
  } while (status.phase == RoomPhase::kOpen);
  Chunk chunk{.token_begin = status.prefix_tokens, .token_end = tokens, .is_last_chunk = true};
  std::vector<int32_t> pages = compute(chunk.token_begin, chunk.token_end);  // GPU work complete
  chunk.pages = {pages};
  absl::Status end = (*engine)->Send(*room, chunk);  // returns at once
  while (end.ok() && !IsTerminal(status)) status = (*engine)->Poll(*room);
  if (end.ok()) end = (*engine)->Cause(*room);  // OK: every target has every byte
  (*engine)->Close(*room);                      // and the pages are the engine's again
  return end;
}
// [embed]

}  // namespace baton::examples
