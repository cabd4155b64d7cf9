#include "transfer_agent/transport/cuda/make_item.h"

#include <algorithm>
#include <numeric>

namespace baton::transport::cuda {
namespace {

using planner::StridedCopy;

constexpr uint64_t kSmallChunk = 4 << 20;
constexpr uint32_t kSmallGroupBytes = 2048;
// Of one run, at most.
constexpr uint32_t kCutBytes = 8192;

// Entries between two page ends of either side, and how many of them lie before the first entry.
void SetAtom(const StridedCopy& copy, Item* item) {
  const StridedCopy::Side& s = copy.source;
  const StridedCopy::Side& t = copy.target;
  uint64_t atom = 0;
  if (s.list != nullptr) atom = std::gcd(atom, s.page_entries);
  if (t.list != nullptr) atom = std::gcd(atom, t.page_entries);
  if (s.list != nullptr && t.list != nullptr) {
    atom = std::gcd(atom, s.first > t.first ? s.first - t.first : t.first - s.first);
  }
  if (atom == 0) atom = copy.entries;
  item->atom = static_cast<uint32_t>(atom);
  item->phase = static_cast<uint32_t>((s.list != nullptr ? s.first : t.first) % atom);
}

bool Joins(uint64_t count, uint64_t source_stride, uint64_t target_stride, uint64_t run) {
  return count == 1 || (source_stride == run && target_stride == run);
}

// Joins axes into runs from the innermost on, as far as the bytes of both sides lie close together.
// Nothing is joined around the entries: an atom at the end of a room has fewer of them.
uint64_t SetRuns(const StridedCopy& copy, Item* item) {
  const StridedCopy::Axis* axes[2] = {&copy.planes, &copy.heads};
  // Axes inside the entries, innermost first: heads, then planes, or none.
  const int inside = copy.planes_in_entry ? 2 : copy.head_major ? 0 : 1;
  uint64_t run = copy.unit_bytes;
  int joined = 0;
  while (joined < inside) {
    const StridedCopy::Axis& axis = *axes[1 - joined];
    if (!Joins(axis.count, axis.source_stride, axis.target_stride, run)) break;
    run *= axis.count;
    ++joined;
  }
  const bool whole = joined == inside &&
                     Joins(item->atom, copy.source.entry_stride, copy.target.entry_stride, run);
  item->entry_runs = whole ? 1 : item->atom;
  item->entry_bytes = static_cast<uint32_t>(run);
  for (int i = 0; i < 2; ++i) {
    const bool in_run = i >= 2 - joined;
    item->axis_count[i] = in_run ? 1 : static_cast<uint32_t>(axes[i]->count);
    item->source.axis_stride[i] = axes[i]->source_stride;
    item->target.axis_stride[i] = axes[i]->target_stride;
  }
  return whole ? run * item->atom : run;
}

// The largest of 16, 4 and 1 that divides every address and length.
uint32_t VectorOf(const Item& item) {
  uint64_t bits = item.entry_bytes;
  for (const ItemSide* side : {&item.source, &item.target}) {
    bits |= side->base | side->entry_stride;
    if (side->list != nullptr) bits |= side->page_stride;
    for (int i = 0; i < 2; ++i) {
      if (item.axis_count[i] > 1) bits |= side->axis_stride[i];
    }
  }
  return bits % 16 == 0 ? 16 : bits % 4 == 0 ? 4 : 1;
}

bool SameSide(const StridedCopy::Side& a, const StridedCopy::Side& b) {
  return a.page_stride == b.page_stride && a.entry_stride == b.entry_stride &&
         a.page_entries == b.page_entries && a.list == b.list && a.first == b.first;
}

bool SameAxis(const StridedCopy::Axis& a, const StridedCopy::Axis& b) {
  return a.count == b.count && a.source_stride == b.source_stride &&
         a.target_stride == b.target_stride;
}

}  // namespace

bool CutsAlike(const StridedCopy& before, const StridedCopy& copy, const Item& done,
               const Item& next) {
  return before.entries == copy.entries && before.unit_bytes == copy.unit_bytes &&
         before.head_major == copy.head_major && before.planes_in_entry == copy.planes_in_entry &&
         SameSide(before.source, copy.source) && SameSide(before.target, copy.target) &&
         SameAxis(before.planes, copy.planes) && SameAxis(before.heads, copy.heads) &&
         (done.source.base - next.source.base) % 16 == 0 &&
         (done.target.base - next.target.base) % 16 == 0;
}

void CopyCuts(const Item& done, Item* next) {
  const uint64_t source = next->source.base;
  const uint64_t target = next->target.base;
  *next = done;
  next->source.base = source;
  next->target.base = target;
}

bool CutItem(const StridedCopy& copy, uint64_t chunk_bytes, uint32_t group_bytes, Item* item) {
  item->entries = static_cast<uint32_t>(copy.entries);
  SetAtom(copy, item);
  const uint64_t run = SetRuns(copy, item);
  if (chunk_bytes <= kSmallChunk) group_bytes = kSmallGroupBytes;
  const uint32_t cut_most = std::min(kCutBytes, group_bytes);
  item->cut_bytes = static_cast<uint32_t>(std::min<uint64_t>(run, cut_most));
  item->cuts = static_cast<uint32_t>((run + item->cut_bytes - 1) / item->cut_bytes);
  item->vector_bytes = VectorOf(*item);
  item->cut_vectors = item->cut_bytes / item->vector_bytes;
  item->cut_inverse =
      static_cast<uint32_t>(((uint64_t{1} << 32) + item->cut_vectors - 1) / item->cut_vectors);
  item->group_pieces = std::clamp<uint32_t>(group_bytes / item->cut_bytes, 1, 32);
  const uint64_t atoms = (item->phase + copy.entries + item->atom - 1) / item->atom;
  const auto pieces = static_cast<unsigned __int128>(atoms) * item->entry_runs *
                      item->axis_count[0] * item->axis_count[1] * item->cuts;
  item->pieces = static_cast<uint32_t>(pieces);
  return pieces < UINT32_MAX / 2 && run <= UINT32_MAX;
}

}  // namespace baton::transport::cuda
