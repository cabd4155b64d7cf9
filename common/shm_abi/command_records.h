// The fixed parts of the records in the ring. Part of the ABI: within one kAttachProtocolMajor new
// kinds are appended, and these never change. Included by the codec alone.
#ifndef BATON_COMMON_SHM_ABI_COMMAND_RECORDS_H_
#define BATON_COMMON_SHM_ABI_COMMAND_RECORDS_H_

#include <cstdint>

namespace baton::shm_abi {

struct OpenSendRecord {
  uint32_t slot, generation;
  uint64_t room_id, room_nonce;
  uint64_t total_tokens;
  uint32_t time_left_ms;
  uint32_t total_known;  // 0: it comes with the last chunk; or 1
};
static_assert(sizeof(OpenSendRecord) == 40);

// Followed by page counts, pages, state rows, server name.
struct OpenReceiveRecord {
  uint32_t slot, generation;
  uint64_t room_id, room_nonce;
  uint64_t total_tokens, prefix_tokens;
  uint32_t time_left_ms;
  uint32_t aux_row;
  uint32_t prefill_dp;
  uint8_t prefill_dp_known;  // 0 or 1
  uint8_t tp_holder, cp_holder;
  uint8_t groups;
  uint16_t state_rows;
  uint16_t server_bytes;
  uint32_t announced;  // 0 or 1
};
static_assert(sizeof(OpenReceiveRecord) == 64);

// Followed by page counts, pages, state rows.
struct ProvideRecord {
  uint32_t slot, generation;
  uint64_t total_tokens, prefix_tokens;
  uint32_t aux_row;
  uint8_t groups;
  uint8_t reserved8;
  uint16_t state_rows;
};
static_assert(sizeof(ProvideRecord) == 32);

// Followed by page counts, pages, state rows.
struct SendRecord {
  uint32_t slot, generation;
  uint64_t token_begin, token_end;
  uint32_t layer_begin, layer_end;
  uint32_t aux_row;
  uint8_t last;  // 0 or 1
  uint8_t groups;
  uint16_t state_rows;
  uint16_t page_groups;  // bit g: the chunk has page group g
  uint16_t reserved16;
  uint32_t reserved32;
};
static_assert(sizeof(SendRecord) == 48);

// Followed by text.
struct AbortRecord {
  uint32_t slot, generation;
  uint32_t text_bytes;
  uint32_t reserved;
};
static_assert(sizeof(AbortRecord) == 16);

struct CloseRecord {
  uint32_t slot, generation;
};
static_assert(sizeof(CloseRecord) == 8);

// Followed by the server's name.
struct WatchPeerRecord {
  uint32_t peer, generation;
  uint32_t server_bytes;
  uint32_t reserved;
};
static_assert(sizeof(WatchPeerRecord) == 16);

struct ForgetPeerRecord {
  uint32_t peer, generation;
};
static_assert(sizeof(ForgetPeerRecord) == 8);

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_COMMAND_RECORDS_H_
