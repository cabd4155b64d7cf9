// What an engine rank and its agent share: ring and completion table. Each side keeps it for as
// long as it needs it, whatever became of the other.
#ifndef BATON_TESTS_SIMULATION_ATTACHMENT_H_
#define BATON_TESTS_SIMULATION_ATTACHMENT_H_

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/shm_abi/commands.h"
#include "common/shm_abi/table.h"
#include "tests/simulation/model.h"
#include "transfer_agent/attach/attached_rank.h"

namespace baton::sim {

struct Attachment {
  std::deque<shm_abi::Command> ring;
  std::vector<shm_abi::RoomWord> words = std::vector<shm_abi::RoomWord>(kRows);
  std::vector<absl::Status> causes = std::vector<absl::Status>(kRows);
  // The table was written, at the very instant.
  std::function<void(uint32_t slot, shm_abi::RoomWord word)> published;
};

class SimRing final : public attach::RingReader {
 public:
  explicit SimRing(std::shared_ptr<Attachment> shared) : shared_(std::move(shared)) {}
  absl::StatusOr<std::optional<shm_abi::Command>> Next() override {
    if (shared_->ring.empty()) return std::optional<shm_abi::Command>();
    std::optional<shm_abi::Command> command = std::move(shared_->ring.front());
    shared_->ring.pop_front();
    return command;
  }
  bool Empty() const override { return shared_->ring.empty(); }

 private:
  const std::shared_ptr<Attachment> shared_;
};

class SimTable final : public attach::TableWriter {
 public:
  explicit SimTable(std::shared_ptr<Attachment> shared) : shared_(std::move(shared)) {}
  uint32_t slots() const override { return kRows; }
  void SetPrefix(uint32_t, uint64_t) override {}
  void SetBytes(uint32_t, uint64_t) override {}
  void SetSourceTokens(uint32_t, uint64_t) override {}
  void SetCause(uint32_t slot, const absl::Status& cause) override {
    shared_->causes[slot] = cause;
  }
  void Publish(uint32_t slot, shm_abi::RoomWord word) override {
    shared_->words[slot] = word;
    if (shared_->published) shared_->published(slot, word);
  }
  uint32_t peers() const override { return 0; }
  void PublishPeer(uint32_t, const shm_abi::PeerAnswer&) override {}
  void Heartbeat() override {}
  void SetAsleep(bool) override {}

 private:
  const std::shared_ptr<Attachment> shared_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_ATTACHMENT_H_
