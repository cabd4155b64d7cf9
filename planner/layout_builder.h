// Builds a rank's layout the way well-known engines lay out their pools, for the demo, the tests
// and the examples. An engine of its own describes the pool it has instead.
//
//   const auto built = BuildLayout(spec, coord, {.pages = {1024}, .rows = 64});
//   // allocate built->region_sizes, hand over built->layout
#ifndef BATON_PLANNER_LAYOUT_BUILDER_H_
#define BATON_PLANNER_LAYOUT_BUILDER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton::planner {

// Order of the axes inside a page.
enum class PageStyle : uint8_t {
  kTokenMajor = 1,  // [page][token][head][dim]
  kHeadMajor = 2,   // [page][head][token][dim]
};

// What lies between one page of a buffer and the next. Tensors mix within their page group.
enum class MixStyle : uint8_t {
  kNone = 1,    // [buffer][page]: a tensor for each buffer
  kPage = 2,    // [layer][page][tensor]: K and V in one tensor; all keys of a page, then all scales
  kEntry = 3,   // [layer][page][token][tensor]: K and V of a token side by side. Token-major only
  kLayers = 4,  // [page][layer][tensor]: cross-layer blocks
};

enum class RegionStyle : uint8_t {
  kOne = 1,      // everything in region 0
  kBuffers = 2,  // a region for each thing that MixStyle keeps together
};

struct LayoutOptions {
  std::vector<uint32_t> pages;  // of each page group of the spec
  uint32_t rows = 1;            // of STATE and AUX buffers
  PageStyle page_style = PageStyle::kTokenMajor;
  MixStyle mix_style = MixStyle::kNone;
  RegionStyle region_style = RegionStyle::kOne;
  uint64_t align = 256;  // of each thing in a region; a power of two
};

struct BuiltLayout {
  RankLayout layout;
  std::vector<uint64_t> region_sizes;
};

// BAD_SPEC when the spec, the coordinates or the options are not valid.
absl::StatusOr<BuiltLayout> BuildLayout(const ServerSpec& spec, const RankCoord& coord,
                                        const LayoutOptions& options);

}  // namespace baton::planner

#endif  // BATON_PLANNER_LAYOUT_BUILDER_H_
