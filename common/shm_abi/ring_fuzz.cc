// A ring whose every byte comes from outside. Run long: ring_fuzz -max_len=65536 CORPUS_FOLDER
//
// Input: a mode byte and two bytes of tail. In the first mode the rest lies in the ring as it is.
// In the second it is cut into bodies under good headers, so that the fuzzer need not find a check
// value to reach the decoder; whatever decodes must encode and decode to the same again.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "common/log.h"
#include "common/shm_abi/command_codec.h"
#include "common/shm_abi/ring_consumer.h"
#include "common/shm_abi/ring_producer.h"

namespace baton::shm_abi {
namespace {

constexpr TableSizes kSizes{64, 16};
constexpr uint64_t kEpoch = 3;

struct alignas(64) Line {
  std::byte bytes[64];
};

void CheckAgain(const Command& command) {
  std::string bytes = EncodeCommand(command);
  auto span = absl::MakeConstSpan(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
  absl::StatusOr<Command> again = DecodeCommand(KindOf(command), span, kSizes);
  CHECK(again.ok()) << again.status();
  CHECK(EncodeCommand(*again) == bytes);
}

void Drain(RingConsumer* consumer) {
  while (true) {
    absl::StatusOr<std::optional<Command>> next = consumer->Next();
    if (!next.ok() || !next->has_value()) return;
    CheckAgain(**next);
  }
}

void Raw(std::byte* memory, uint64_t tail, const uint8_t* data, size_t size) {
  RingConsumer consumer(memory, kEpoch, kRingBytesMin, kSizes);
  memcpy(memory + kRingDataOffset, data, size < kRingBytesMin ? size : kRingBytesMin);
  reinterpret_cast<RingHeader*>(memory)->tail.store(tail);
  Drain(&consumer);
}

void Framed(std::byte* memory, const uint8_t* data, size_t size) {
  RingConsumer consumer(memory, kEpoch, kRingBytesMin, kSizes);
  RingProducer producer(memory);
  while (size >= 2) {
    const auto kind = static_cast<EntryKind>(data[0] % 10);
    uint32_t bytes = data[1] * 4u;
    data += 2;
    size -= 2;
    if (bytes > size) bytes = static_cast<uint32_t>(size);
    std::byte* body = producer.Reserve(bytes);
    if (body == nullptr) return;
    memcpy(body, data, bytes);
    producer.Commit(kind);
    data += bytes;
    size -= bytes;
    Drain(&consumer);
  }
}

}  // namespace
}  // namespace baton::shm_abi

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace shm_abi = baton::shm_abi;
  if (size < 3) return 0;
  std::vector<shm_abi::Line> lines((shm_abi::kRingDataOffset + shm_abi::kRingBytesMin) / 64);
  std::byte* memory = lines.data()->bytes;
  shm_abi::InitRing(memory, shm_abi::kEpoch, shm_abi::kRingBytesMin);
  const uint64_t tail = data[1] | (uint64_t{data[2]} << 8);
  if (data[0] % 2 == 0) {
    shm_abi::Raw(memory, tail, data + 3, size - 3);
  } else {
    shm_abi::Framed(memory, data + 3, size - 3);
  }
  return 0;
}
