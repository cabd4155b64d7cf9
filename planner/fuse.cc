#include "planner/fuse.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "planner/break.h"

namespace baton::planner {
namespace {

bool SamePlace(const SideAddress& a, const SideAddress& b) {
  return a.region == b.region && a.list == b.list && a.page_stride == b.page_stride &&
         a.entry_stride == b.entry_stride && a.head_stride == b.head_stride;
}

// Whether the two walk the same entries over the same strides.
bool SameWalk(const CopyDescriptor& a, const CopyDescriptor& b) {
  return a.set == b.set && a.share.whole() && b.share.whole() && SamePlace(a.source, b.source) &&
         SamePlace(a.target, b.target);
}

bool SameShape(const CopyDescriptor& a, const CopyDescriptor& b) {
  return a.heads == b.heads && a.unit_bytes == b.unit_bytes && a.head_major == b.head_major;
}

// Bytes from a copy to the next that make the two one piece on this side.
bool Follows(const SideAddress& a, const SideAddress& b, uint64_t bytes) {
  return b.offset - a.offset == bytes;
}

// Bytes of a page that the copy fills without a gap on this side, or 0.
uint64_t DensePage(const CopyDescriptor& copy, const SideAddress& side, uint64_t page_entries) {
  const uint64_t entries = copy.unit_bytes * page_entries;
  if (copy.heads == 1) {
    return page_entries == 1 || side.entry_stride == copy.unit_bytes ? entries : 0;
  }
  const bool dense =
      copy.head_major && side.entry_stride == copy.unit_bytes && side.head_stride == entries;
  return dense ? entries * copy.heads : 0;
}

// Widens `a` by `b` of the same layer where each entry's bytes continue.
bool FuseUnit(const PairPlan& plan, CopyDescriptor* a, const CopyDescriptor& b) {
  if (plan.layers[a->first_layer] != plan.layers[b.first_layer] || a->heads != 1 || b.heads != 1 ||
      !SameWalk(*a, b) || !Follows(a->source, b.source, a->unit_bytes) ||
      (!Follows(a->target, b.target, a->unit_bytes) && !Broken(11)) ||
      uint64_t{a->unit_bytes} + b.unit_bytes > UINT32_MAX) {
    return false;
  }
  a->unit_bytes += b.unit_bytes;
  return true;
}

// Adds `b` as one more plane of `a`. `last` is the plane added last.
bool FusePlane(const PairPlan& plan, CopyDescriptor* a, const CopyDescriptor& last,
               const CopyDescriptor& b) {
  if (!SameWalk(*a, b) || !SameShape(*a, b)) return false;
  const uint64_t source_page = DensePage(b, b.source, plan.sets[b.set].source.page_entries);
  const uint64_t target_page = DensePage(b, b.target, plan.sets[b.set].target.page_entries);
  const bool in_entry = b.heads == 1 && Follows(last.source, b.source, b.unit_bytes) &&
                        Follows(last.target, b.target, b.unit_bytes);
  const bool in_page = source_page != 0 && source_page == target_page &&
                       Follows(last.source, b.source, source_page) &&
                       Follows(last.target, b.target, target_page);
  if (!in_entry && !in_page) return false;
  // Where a page is one entry both are true: planes are in the page then.
  const bool planes_in_entry = in_entry && !in_page;
  if (a->planes > 1 && a->planes_in_entry != planes_in_entry) return false;
  a->planes_in_entry = planes_in_entry;
  a->source.plane_stride = a->target.plane_stride = planes_in_entry ? b.unit_bytes : source_page;
  ++a->planes;
  return true;
}

}  // namespace

void FuseCopies(PairPlan* plan) {
  const auto key = [&](const CopyDescriptor& c) {
    return std::make_tuple(c.set, plan->layers[c.first_layer], c.source.region, c.source.offset);
  };
  std::stable_sort(plan->copies.begin(), plan->copies.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  std::vector<CopyDescriptor> units;
  units.reserve(plan->copies.size());
  for (const CopyDescriptor& copy : plan->copies) {
    if (units.empty() || !FuseUnit(*plan, &units.back(), copy)) units.push_back(copy);
  }
  std::vector<uint32_t> layers;
  layers.reserve(units.size());
  size_t kept = 0;
  for (size_t i = 0; i < units.size(); ++i) {
    const uint32_t layer = plan->layers[units[i].first_layer];
    if (kept == 0 || !FusePlane(*plan, &plan->copies[kept - 1], units[i - 1], units[i])) {
      plan->copies[kept] = units[i];
      plan->copies[kept].first_layer = static_cast<uint32_t>(layers.size());
      ++kept;
    }
    layers.push_back(layer);
  }
  plan->copies.resize(kept);
  plan->layers = std::move(layers);
}

}  // namespace baton::planner
