// What an immediate says. One that comes with an RDMA write closes a part: {slot 16, generation 10,
// part 6}. One that comes with a send is a word between the two ends of a queue pair.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_IMMEDIATE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_IMMEDIATE_H_

#include <cstdint>

#include "transfer_agent/transport/transport.h"

namespace baton::transport::verbs {

struct PartImmediate {
  OfferId offer;
  uint32_t part = 0;

  constexpr bool operator==(const PartImmediate&) const = default;
};

constexpr uint32_t Pack(PartImmediate i) {
  return (uint32_t{i.offer.slot} << 16) | ((i.offer.generation & kGenerationMask) << 6) |
         (i.part & (kPartsMax - 1));
}

constexpr PartImmediate UnpackPart(uint32_t word) {
  return {.offer = {.slot = static_cast<uint16_t>(word >> 16),
                    .generation = static_cast<uint16_t>((word >> 6) & kGenerationMask)},
          .part = word & (kPartsMax - 1)};
}

enum class Word : uint8_t {
  kHello = 1,    // source: the queue pair works from here on; target: its memory windows do
  kGoodbye = 2,  // either: nothing follows
  kCredit = 3,   // target: so many more receives are posted
  kProbe =
      4,  // target: is anybody there? A source's queue pair takes no writes, not even empty ones
};

struct WordImmediate {
  Word word = Word::kHello;
  uint32_t value = 0;  // 24 bits
};

constexpr uint32_t Pack(WordImmediate i) {
  return (static_cast<uint32_t>(i.word) << 24) | (i.value & 0xffffff);
}

constexpr WordImmediate UnpackWord(uint32_t word) {
  return {.word = static_cast<Word>(word >> 24), .value = word & 0xffffff};
}

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_IMMEDIATE_H_
