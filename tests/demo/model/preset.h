// The models whose caches the demo hands over: the three of the main job at their full layer count,
// and small ones for the named pairs.
#ifndef BATON_TESTS_DEMO_MODEL_PRESET_H_
#define BATON_TESTS_DEMO_MODEL_PRESET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "planner/layout.h"

namespace baton::demo {

struct Preset {
  std::string name;
  std::string about;
  uint32_t layers = 0;
  std::vector<planner::PageGroup> page_groups;
  // Without AUX, which every server has.
  std::vector<planner::TensorSpec> tensors;
};

inline constexpr uint32_t kAuxBytes = 512;

const std::vector<Preset>& Presets();

// Null when there is none of that name.
const Preset* FindPreset(absl::string_view name);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_MODEL_PRESET_H_
