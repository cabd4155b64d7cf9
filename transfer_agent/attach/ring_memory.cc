#include "transfer_agent/attach/ring_memory.h"

#include <utility>

#include "common/memfd.h"
#include "common/shm_abi/ring_consumer.h"
#include "common/shm_abi/table_memory.h"

namespace baton::attach {
namespace {

class SharedRing final : public RingReader {
 public:
  SharedRing(Mapping mapping, Epoch epoch, uint32_t ring_bytes, shm_abi::TableSizes sizes)
      : mapping_(std::move(mapping)),
        consumer_(mapping_.base(), epoch.value(), ring_bytes, sizes) {}

  absl::StatusOr<std::optional<shm_abi::Command>> Next() override { return consumer_.Next(); }
  bool Empty() const override { return consumer_.Empty(); }

 private:
  Mapping mapping_;
  shm_abi::RingConsumer consumer_;
};

class SharedTable final : public TableWriter {
 public:
  SharedTable(Mapping mapping, shm_abi::TableSizes sizes)
      : mapping_(std::move(mapping)),
        header_(shm_abi::HeaderOf(mapping_.base())),
        rows_(shm_abi::SlotsOf(mapping_.base())),
        peers_(shm_abi::PeersOf(mapping_.base(), sizes.slots)),
        sizes_(sizes) {}

  uint32_t slots() const override { return sizes_.slots; }
  uint32_t peers() const override { return sizes_.peers; }
  void SetPrefix(uint32_t slot, uint64_t prefix_tokens) override {
    rows_[slot].prefix_tokens.store(prefix_tokens, std::memory_order_relaxed);
  }
  void SetBytes(uint32_t slot, uint64_t bytes) override {
    rows_[slot].bytes.store(bytes, std::memory_order_relaxed);
  }
  void SetSourceTokens(uint32_t slot, uint64_t tokens) override {
    rows_[slot].source_tokens.store(tokens, std::memory_order_relaxed);
  }
  void SetCause(uint32_t slot, const absl::Status& cause) override {
    shm_abi::StoreCause(cause, &rows_[slot]);
  }
  // Release: whoever sees the word sees the fields that were set before it.
  void Publish(uint32_t slot, shm_abi::RoomWord word) override {
    rows_[slot].word.store(word.Pack(), std::memory_order_release);
  }
  void PublishPeer(uint32_t peer, const shm_abi::PeerAnswer& answer) override {
    shm_abi::StorePeer(answer, &peers_[peer]);
  }
  void Heartbeat() override { header_->heartbeat.fetch_add(1, std::memory_order_relaxed); }
  // Sequentially consistent, like the producer's publishing and its look at this word.
  void SetAsleep(bool asleep) override {
    header_->asleep.store(asleep ? 1 : 0, std::memory_order_seq_cst);
  }

 private:
  Mapping mapping_;
  shm_abi::TableHeader* const header_;
  shm_abi::TableSlot* const rows_;
  shm_abi::PeerRow* const peers_;
  const shm_abi::TableSizes sizes_;
};

}  // namespace

absl::StatusOr<NewRing> MakeRing(Epoch epoch, uint32_t ring_bytes, shm_abi::TableSizes sizes) {
  uint64_t bytes = shm_abi::kRingDataOffset + ring_bytes;
  absl::StatusOr<UniqueFd> fd = CreateSealedMemfd("baton-ring", bytes);
  if (!fd.ok()) return fd.status();
  absl::StatusOr<Mapping> mapping = MapShared(fd->get(), bytes, Access::kReadWrite);
  if (!mapping.ok()) return mapping.status();
  shm_abi::InitRing(mapping->base(), epoch.value(), ring_bytes);
  // Sealed for good: otherwise the engine could seal it against our own writes to `head`.
  if (absl::Status s = SealForGood(fd->get()); !s.ok()) return s;
  return NewRing{*std::move(fd),
                 std::make_unique<SharedRing>(*std::move(mapping), epoch, ring_bytes, sizes)};
}

absl::StatusOr<NewTable> MakeTable(Epoch epoch, shm_abi::TableSizes sizes) {
  uint64_t bytes = shm_abi::TableBytes(sizes.slots, sizes.peers);
  absl::StatusOr<UniqueFd> fd = CreateSealedMemfd("baton-table", bytes);
  if (!fd.ok()) return fd.status();
  absl::StatusOr<Mapping> mapping = MapShared(fd->get(), bytes, Access::kReadWrite);
  if (!mapping.ok()) return mapping.status();
  shm_abi::InitTable(mapping->base(), epoch.value(), sizes.slots, sizes.peers);
  // Our mapping is the last writer that there will ever be.
  if (absl::Status s = SealAgainstNewWriters(fd->get()); !s.ok()) return s;
  absl::StatusOr<UniqueFd> read_only = ReopenReadOnly(fd->get());
  if (!read_only.ok()) return read_only.status();
  return NewTable{*std::move(read_only), std::make_unique<SharedTable>(*std::move(mapping), sizes)};
}

}  // namespace baton::attach
