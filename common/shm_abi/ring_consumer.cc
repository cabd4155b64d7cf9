#include "common/shm_abi/ring_consumer.h"

#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/shm_abi/command_codec.h"

namespace baton::shm_abi {

void InitRing(std::byte* memory, uint64_t epoch, uint32_t data_bytes) {
  RingHeader* header = new (memory) RingHeader;
  header->epoch = epoch;
  header->data_bytes = data_bytes;
}

RingConsumer::RingConsumer(std::byte* memory, uint64_t epoch, uint32_t data_bytes, TableSizes sizes)
    : header_(reinterpret_cast<RingHeader*>(memory)),
      data_(memory + kRingDataOffset),
      epoch_(epoch),
      data_bytes_(data_bytes),
      sizes_(sizes) {}

absl::Status RingConsumer::Bad(absl::string_view what) const {
  return Error(Reason::kBadMessage,
               absl::StrCat("ring entry ", sequence_ + 1, " at position ", head_, ": ", what));
}

absl::Status RingConsumer::CheckTail(uint64_t tail) const {
  if (tail % kEntryAlign != 0) return Bad(absl::StrCat("tail ", tail, " is not aligned"));
  if (tail - head_ > data_bytes_) {
    return Bad(absl::StrCat("tail ", tail, " is not within the ring's ", data_bytes_, " bytes"));
  }
  return absl::OkStatus();
}

absl::StatusOr<EntryHeader> RingConsumer::CopyHeader(uint64_t available) const {
  EntryHeader entry;
  uint64_t place = head_ & (data_bytes_ - 1);
  memcpy(&entry, data_ + place, sizeof(entry));
  if (entry.sequence != sequence_ + 1) {
    return Bad(absl::StrCat("has sequence number ", entry.sequence));
  }
  uint64_t bytes = EntryBytes(entry.body_bytes);
  if (bytes > available) return Bad(absl::StrCat("its ", bytes, " bytes run past the tail"));
  if (entry.kind == EntryKind::kWrap) {
    if (place + bytes != data_bytes_) return Bad("a wrap entry does not end where the ring ends");
    return entry;
  }
  if (bytes > EntryBytesMax(data_bytes_)) {
    return Bad(absl::StrCat("its ", bytes, " bytes are more than a quarter of the ring"));
  }
  if (place + bytes > data_bytes_) return Bad("runs past the end of the ring");
  return entry;
}

absl::Status RingConsumer::CopyBody(const EntryHeader& entry) {
  if (entry.kind != EntryKind::kWrap) {
    if (copy_.size() < entry.body_bytes) copy_.resize(entry.body_bytes);
    const std::byte* body = data_ + (head_ & (data_bytes_ - 1)) + sizeof(EntryHeader);
    memcpy(copy_.data(), body, entry.body_bytes);
  }
  if (EntryCheck(epoch_, entry, copy_.data()) != entry.check) return Bad("its check is wrong");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Command>> RingConsumer::Take() {
  // At most one wrap entry stands between two commands.
  for (int i = 0; i < 2; ++i) {
    if (head_ == tail_) {
      uint64_t tail = header_->tail.load(std::memory_order_acquire);
      if (absl::Status s = CheckTail(tail); !s.ok()) return s;
      tail_ = tail;
      if (head_ == tail_) return std::optional<Command>();
    }
    absl::StatusOr<EntryHeader> entry = CopyHeader(tail_ - head_);
    if (!entry.ok()) return entry.status();
    if (absl::Status s = CopyBody(*entry); !s.ok()) return s;
    std::optional<Command> command;
    if (entry->kind != EntryKind::kWrap) {
      absl::Span<const std::byte> body(copy_.data(), entry->body_bytes);
      absl::StatusOr<Command> decoded = DecodeCommand(entry->kind, body, sizes_);
      if (!decoded.ok()) return Bad(decoded.status().message());
      command = *std::move(decoded);
    }
    head_ += EntryBytes(entry->body_bytes);
    ++sequence_;
    // Release: we have finished reading the bytes that the producer may now overwrite.
    header_->head.store(head_, std::memory_order_release);
    if (command.has_value()) return command;
  }
  return Bad("two wrap entries in a row");
}

absl::StatusOr<std::optional<Command>> RingConsumer::Next() {
  if (!broken_.ok()) return broken_;
  absl::StatusOr<std::optional<Command>> command = Take();
  if (!command.ok()) broken_ = command.status();
  return command;
}

}  // namespace baton::shm_abi
