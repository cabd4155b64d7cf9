#include "transfer_agent/group/held_log.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace baton::group {

std::vector<Entry> HeldLog::From(uint64_t first) const {
  const uint64_t skip = std::min<uint64_t>(std::max(first, base_) - base_, entries_.size());
  return {entries_.begin() + skip, entries_.end()};
}

void HeldLog::PromiseTo(Term term) {
  CHECK(term > promised_);
  promised_ = term;
}

void HeldLog::Replace(Term term, uint64_t first, std::vector<Entry> entries) {
  CHECK(term >= log_term_);
  log_term_ = term;
  CHECK_LE(first, end_);
  entries_.resize(end_ - base_);
  for (uint64_t index = first; index < first + entries.size(); ++index) {
    if (index >= end_) entries_.push_back(std::move(entries[index - first]));
  }
}

bool HeldLog::Settle(uint64_t end) {
  if (end <= end_) return false;
  CHECK_LE(end, held());
  end_ = end;
  while (end_ - base_ > kept_) {
    entries_.pop_front();
    ++base_;
  }
  return true;
}

}  // namespace baton::group
