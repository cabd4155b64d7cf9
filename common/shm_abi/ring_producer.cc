#include "common/shm_abi/ring_producer.h"

#include <cstring>

namespace baton::shm_abi {

RingProducer::RingProducer(std::byte* memory)
    : header_(reinterpret_cast<RingHeader*>(memory)),
      data_(memory + kRingDataOffset),
      data_bytes_(header_->data_bytes),
      epoch_(header_->epoch) {}

bool RingProducer::HasRoom(uint64_t bytes) {
  if (data_bytes_ - (tail_ - head_) >= bytes) return true;
  // Acquire: the consumer has finished reading what we are about to overwrite.
  uint64_t head = header_->head.load(std::memory_order_acquire);
  // Never believe a position that would let us overwrite what has not been read.
  if (head > tail_ || head < head_) return false;
  head_ = head;
  return data_bytes_ - (tail_ - head_) >= bytes;
}

void RingProducer::WriteHeader(EntryKind kind, uint32_t body_bytes) {
  std::byte* at = data_ + (tail_ & (data_bytes_ - 1));
  EntryHeader header{body_bytes, kind, ++sequence_, 0};
  header.check = EntryCheck(epoch_, header, at + sizeof(EntryHeader));
  memcpy(at, &header, sizeof(header));
  tail_ += EntryBytes(body_bytes);
}

std::byte* RingProducer::Reserve(uint32_t body_bytes) {
  if (body_bytes > body_bytes_max()) return nullptr;
  uint64_t bytes = EntryBytes(body_bytes);
  uint64_t to_end = data_bytes_ - (tail_ & (data_bytes_ - 1));
  if (to_end < bytes) {
    if (!HasRoom(to_end + bytes)) return nullptr;
    // The consumer sees it together with the entry behind it: tail is published by Commit alone.
    WriteHeader(EntryKind::kWrap, static_cast<uint32_t>(to_end - sizeof(EntryHeader)));
  } else if (!HasRoom(bytes)) {
    return nullptr;
  }
  reserved_body_ = body_bytes;
  return data_ + (tail_ & (data_bytes_ - 1)) + sizeof(EntryHeader);
}

void RingProducer::Commit(EntryKind kind) {
  WriteHeader(kind, reserved_body_);
  // Sequentially consistent, not just release: see WorkerAsleep.
  header_->tail.store(tail_, std::memory_order_seq_cst);
}

}  // namespace baton::shm_abi
