// What a seat holds of the group's log: the entries that may still be wanted, and what it has
// promised. A value: the engine's memory keeps it when an agent restarts. Thread-compatible.
//
// Entries below end() are settled: equal at every seat, for ever. Those above may be replaced by a
// later leader's. At most `kept` settled entries stay.
#ifndef BATON_TRANSFER_AGENT_GROUP_HELD_LOG_H_
#define BATON_TRANSFER_AGENT_GROUP_HELD_LOG_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "transfer_agent/group/messages.h"

namespace baton::group {

class HeldLog {
 public:
  explicit HeldLog(uint64_t kept) : kept_(kept) {}

  uint64_t base() const { return base_; }
  uint64_t end() const { return end_; }
  uint64_t held() const { return base_ + entries_.size(); }
  Term promised() const { return promised_; }
  // Whose entries those above end() are.
  Term log_term() const { return log_term_; }
  const std::vector<Life>& lives() const { return lives_; }
  bool formed() const { return !lives_.empty(); }

  // base() <= index < held().
  const Entry& at(uint64_t index) const { return entries_[index - base_]; }
  // From `first`, or from base() where that is later.
  std::vector<Entry> From(uint64_t first) const;

  // A later term than promised().
  void PromiseTo(Term term);
  void Form(std::vector<Life> lives) { lives_ = std::move(lives); }
  // All above end() is now `entries` from `first` on, as `term`'s leader has them. What is settled
  // already stays. first <= end().
  void Replace(Term term, uint64_t first, std::vector<Entry> entries);
  void Push(Entry entry) { entries_.push_back(std::move(entry)); }
  // False, and nothing happens: `end` is not above end(). end <= held().
  bool Settle(uint64_t end);

 private:
  uint64_t kept_;
  uint64_t base_ = 0;
  uint64_t end_ = 0;
  Term promised_;
  Term log_term_;
  std::vector<Life> lives_;
  std::deque<Entry> entries_;
};

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_HELD_LOG_H_
