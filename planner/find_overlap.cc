#include "planner/find_overlap.h"

#include <algorithm>
#include <vector>

namespace baton::planner {
namespace {

using Wide = unsigned __int128;
using Set = std::vector<uint32_t>;

constexpr size_t kFew = 8;        // compared each with each
constexpr uint64_t kRounds = 64;  // of sorting everything; then what is left is compared
constexpr int kViews = 4;

// Two buffers are apart when they are in one of these views: view 0 is their bounds, view k what
// lies within one stride of the axis before, as places on a circle as long as the stride.
class Finder {
 public:
  Finder(absl::Span<const Extent> extents, uint64_t* work) : extents_(extents), work_(work) {}

  std::optional<std::pair<size_t, size_t>> Find() {
    Set all(extents_.size());
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    std::vector<Set> open;
    open.push_back(std::move(all));
    while (!open.empty()) {
      const Set set = std::move(open.back());
      open.pop_back();
      if (set.size() > kFew && *work_ < kRounds * extents_.size() && Divide(set, &open)) continue;
      if (auto found = Compare(set)) return found;
    }
    return std::nullopt;
  }

 private:
  struct Place {
    Wide begin = 0;
    Wide end = 0;
    uint32_t index = 0;
  };

  // Into parts that are apart from each other. False: no view shows any.
  bool Divide(const Set& set, std::vector<Set>* parts) {
    for (int view = 0; view < kViews; ++view) {
      if (view > 0 && !Common(set, view)) return false;
      std::vector<Set> found = Parts(set, view);
      if (found.size() < 2) continue;
      for (Set& part : found) parts->push_back(std::move(part));
      return true;
    }
    return false;
  }

  // Whether all have the strides that the view, and those before it, go by. An inner stride that
  // does not divide the outer one makes two places of one: such are left to Compare.
  bool Common(const Set& set, int view) const {
    const Extent& first = extents_[set[0]];
    return std::all_of(set.begin(), set.end(), [&](uint32_t i) {
      const Extent& e = extents_[i];
      if (e.axes < view || e.axis[view - 1].stride != first.axis[view - 1].stride) return false;
      return view < 2 || e.axis[view - 2].stride % e.axis[view - 1].stride == 0;
    });
  }

  std::vector<Set> Parts(const Set& set, int view) {
    const Wide circle = view == 0 ? 0 : Wide{extents_[set[0]].axis[view - 1].stride};
    std::vector<Place> places;
    places.reserve(set.size());
    for (uint32_t i : set) {
      const Extent& e = extents_[i];
      const Wide begin = view == 0 ? Wide{e.offset} : e.offset % circle;
      places.push_back({begin, begin + e.Length(view), i});
    }
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.begin < b.begin; });
    *work_ += places.size();
    std::vector<Set> parts;
    std::vector<Wide> begins;  // of the parts
    Wide end = 0;
    for (const Place& place : places) {
      if (parts.empty() || place.begin >= end) {
        parts.emplace_back();
        begins.push_back(place.begin);
      }
      parts.back().push_back(place.index);
      end = std::max(end, place.end);
    }
    if (circle > 0 && end > circle) JoinEnds(begins, end - circle, &parts);
    return parts;
  }

  // What goes past the end of the circle, which is in the last part, reaches into the first ones.
  static void JoinEnds(const std::vector<Wide>& begins, Wide reach, std::vector<Set>* parts) {
    size_t joined = 0;
    while (joined + 1 < parts->size() && begins[joined] < reach) {
      const Set& part = (*parts)[joined++];
      parts->back().insert(parts->back().end(), part.begin(), part.end());
    }
    parts->erase(parts->begin(), parts->begin() + static_cast<ptrdiff_t>(joined));
  }

  std::optional<std::pair<size_t, size_t>> Compare(const Set& set) {
    for (size_t i = 0; i < set.size(); ++i) {
      for (size_t j = i + 1; j < set.size(); ++j) {
        ++*work_;
        if (!Apart(extents_[set[i]], extents_[set[j]])) return std::make_pair(set[i], set[j]);
      }
    }
    return std::nullopt;
  }

  const absl::Span<const Extent> extents_;
  uint64_t* const work_;
};

}  // namespace

std::optional<std::pair<size_t, size_t>> FindOverlap(absl::Span<const Extent> extents,
                                                     uint64_t* work) {
  uint64_t unasked = 0;
  if (work == nullptr) work = &unasked;
  *work = 0;
  return Finder(extents, work).Find();
}

}  // namespace baton::planner
