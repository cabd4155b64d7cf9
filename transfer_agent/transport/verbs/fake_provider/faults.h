// What a fake network does wrong, drawn from a seed so that a failure can be run again.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAULTS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAULTS_H_

#include <infiniband/verbs.h>

#include <cstdint>

namespace baton::transport::verbs {

// Shares are of a thousand. Value type.
struct Faults {
  uint64_t seed = 1;
  // Completions of sends, except errors and the last that is outstanding.
  uint32_t drop_send = 0;
  uint32_t repeat_send = 0;
  // Completions of either kind that come after the next one of another queue pair.
  uint32_t late = 0;
  // Writes with immediate that are carried out twice.
  uint32_t repeat_immediate = 0;
  // ibv_post_send calls that take part of the chain, or nothing, and say ENOMEM.
  uint32_t full_queue = 0;
  // Work requests that end with `error`.
  uint32_t fail = 0;
  ibv_wc_status error = IBV_WC_RETRY_EXC_ERR;
  // Receives of a queue pair that fails are flushed before the send that failed is told of.
  bool receives_first = false;
  // No queue pair is reset or destroyed.
  bool keep_queue_pairs = false;

  // True for `share` of a thousand calls.
  bool Draw(uint32_t share) {
    if (share == 0) return false;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % 1000 < share;
  }
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_PROVIDER_FAULTS_H_
