// The memory of one engine rank, with a record of whose each page is. Every byte that a transport
// moves passes here, so that a write to a page that was released, or to another room's, is seen at
// once: NothingStale is checked at each landing, not at the end.
#ifndef BATON_TESTS_SIMULATION_POOL_H_
#define BATON_TESTS_SIMULATION_POOL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton::sim {

// One use of pages by one room at one rank; 0: nobody's. Never used again.
using Holder = uint64_t;

class Pool {
 public:
  // `complain` hears what must not be.
  Pool(RankRef rank, const planner::ServerSpec& spec,
       std::function<void(const std::string&)> complain);

  const planner::RankLayout& layout() const { return layout_; }
  const planner::ServerSpec& spec() const { return spec_; }
  uint64_t bytes() const { return memory_.size(); }

  // Pages and a row for `holder`; nullopt-like empty when too few are free. Poisoned.
  bool Take(Holder holder, uint32_t pages, std::vector<int32_t>* taken, uint32_t* row);
  // From now on nothing of the holder's pages may be read or written by a transport. They stay
  // poisoned and unused until Free when `poison`; a room that landed keeps its bytes.
  void Release(Holder holder, bool poison);
  void Free(Holder holder);
  size_t free_pages() const { return free_pages_.size(); }

  // The engine's own writes and its check, of the tokens from `begin` to `end`, the first of which
  // lies in `pages[0]`.
  void Fill(uint64_t salt, absl::Span<const int32_t> pages, uint64_t begin, uint64_t end);
  void FillRow(uint64_t salt, uint32_t row);
  // Empty when every byte is right.
  std::string Differs(uint64_t salt, absl::Span<const int32_t> pages, uint32_t row, uint64_t begin,
                      uint64_t end) const;

  // The transport's.
  void Write(Holder holder, uint64_t offset, const std::byte* from, uint64_t length);
  void Read(uint64_t offset, uint64_t length, std::vector<std::byte>* to);
  Holder HolderOfRow(uint32_t row) const { return rows_[row].holder; }

 private:
  struct Unit {
    Holder holder = 0;
    bool open = false;  // not released
  };
  Unit& UnitAt(uint64_t offset);
  void Poison(size_t page);
  template <typename Visit>
  void Walk(absl::Span<const int32_t> pages, uint64_t begin, uint64_t end, Visit visit) const;

  const RankRef rank_;
  const planner::ServerSpec& spec_;
  const std::function<void(const std::string&)> complain_;
  planner::RankLayout layout_;
  uint64_t page_bytes_ = 0;
  uint64_t rows_at_ = 0;
  std::vector<std::byte> memory_;
  std::vector<Unit> pages_;
  std::vector<Unit> rows_;
  // Last freed, first taken: what a late write would hit is in use again at once.
  std::vector<int32_t> free_pages_;
  std::vector<uint32_t> free_rows_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_POOL_H_
