#include "planner/hash.h"

#include <bit>
#include <vector>

namespace baton::planner {
namespace {

constexpr uint64_t kMultiplierA = 0xff51afd7ed558ccd;
constexpr uint64_t kMultiplierB = 0xc4ceb9fe1a85ec53;

void AddNumbers(const std::vector<uint32_t>& numbers, Hasher* hasher) {
  hasher->Word(numbers.size());
  for (uint32_t number : numbers) hasher->Word(number);
}

void AddTensor(const TensorSpec& tensor, Hasher* hasher) {
  hasher->Word(static_cast<uint64_t>(tensor.kind));
  hasher->Text(tensor.name);
  AddNumbers(tensor.layers, hasher);
  hasher->Word(tensor.page_group);
  hasher->Text(tensor.dtype);
  hasher->Word(tensor.heads);
  hasher->Word(tensor.head_bytes);
  hasher->Word(tensor.tokens_per_entry);
  hasher->Word(tensor.tp_sharded);
  AddNumbers(tensor.sub_blocks, hasher);
  hasher->Word(tensor.draft);
  // Unset, it is as it was before there was such a field.
  if (tensor.last_stage) hasher->Text("last_stage");
}

}  // namespace

void Hasher::Word(uint64_t word) {
  state_ = std::rotl(state_ ^ (word * kMultiplierA), 29) * kMultiplierB;
  ++words_;
}

void Hasher::Text(absl::string_view text) {
  Word(text.size());
  for (size_t i = 0; i < text.size(); i += 8) {
    uint64_t word = 0;
    for (size_t j = i; j < text.size() && j < i + 8; ++j) {
      word |= uint64_t{static_cast<uint8_t>(text[j])} << (8 * (j - i));
    }
    Word(word);
  }
}

void Hasher::Coord(const RankCoord& coord) {
  for (uint32_t number : {coord.dp, coord.pp, coord.cp, coord.tp}) Word(number);
}

uint64_t Hasher::Finish() const {
  uint64_t h = state_ ^ words_;
  h = (h ^ (h >> 33)) * kMultiplierA;
  h = (h ^ (h >> 33)) * kMultiplierB;
  return h ^ (h >> 33);
}

void AddSpec(const ServerSpec& spec, Hasher* hasher) {
  hasher->Coord(spec.sizes);
  hasher->Word(spec.stages.size());
  for (const auto& stage : spec.stages) AddNumbers(stage, hasher);
  hasher->Word(static_cast<uint64_t>(spec.cp_sharding));
  hasher->Word(spec.page_groups.size());
  for (const PageGroup& group : spec.page_groups) {
    hasher->Word(group.page_tokens);
    hasher->Word(group.window_tokens);
  }
  hasher->Word(spec.tensors.size());
  for (const TensorSpec& tensor : spec.tensors) AddTensor(tensor, hasher);
}

void AddLayout(const RankLayout& layout, Hasher* hasher) {
  hasher->Word(layout.buffers.size());
  for (const BufferLayout& b : layout.buffers) {
    hasher->Word(uint64_t{b.tensor} << 32 | b.layer);
    hasher->Word(uint64_t{b.region} << 32 | b.pages);
    for (uint64_t word : {b.offset, b.page_stride, b.entry_stride, b.head_stride}) {
      hasher->Word(word);
    }
  }
}

uint64_t HashPair(uint32_t planner_version, const RoutePolicy& policy,
                  const ServerSpec& source_spec, const RankCoord& source,
                  const RankLayout& source_layout, const ServerSpec& target_spec,
                  const RankCoord& target, const RankLayout& target_layout) {
  Hasher hasher;
  hasher.Word(planner_version);
  hasher.Word(static_cast<uint64_t>(policy.tp_holder));
  hasher.Word(static_cast<uint64_t>(policy.cp_holder));
  AddSpec(source_spec, &hasher);
  hasher.Coord(source);
  AddLayout(source_layout, &hasher);
  AddSpec(target_spec, &hasher);
  hasher.Coord(target);
  AddLayout(target_layout, &hasher);
  return hasher.Finish();
}

}  // namespace baton::planner
