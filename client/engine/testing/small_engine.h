// What the smallest rank says of itself when it attaches: one region, "kv", of kSmallPoolBytes.
#ifndef BATON_CLIENT_ENGINE_TESTING_SMALL_ENGINE_H_
#define BATON_CLIENT_ENGINE_TESTING_SMALL_ENGINE_H_

#include <string>

#include "client/engine/engine_client.h"
#include "transfer_agent/attach/testing/small_rank.h"

namespace baton {

inline EngineOptions SmallEngine(const std::string& agent_socket, Role role, int pool,
                                 bool dma_buf = false) {
  EngineOptions options;
  options.agent_socket = agent_socket;
  options.server = role == Role::kPrefill ? "prefill-a" : "decode-a";
  options.launch_id = "1";
  options.role = role;
  options.model = "small";
  options.spec = attach::SmallSpec();
  options.layout = attach::SmallLayout();
  options.regions = {{"kv", pool, attach::kSmallPoolBytes, dma_buf}};
  return options;
}

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_TESTING_SMALL_ENGINE_H_
