// Fuzzes pairs of topologies built from raw bytes: whatever ValidateSpec lets through must plan
// without a crash or an overflow, and small ones must satisfy the oracle.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "planner/layout_builder.h"
#include "planner/page_list.h"
#include "planner/plan.h"
#include "planner/proof/check.h"

namespace baton::planner {
namespace {

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint32_t Byte() { return at_ < size_ ? data_[at_++] : 0; }
  // Mostly small, at times any 32-bit number.
  uint32_t Number() {
    const uint32_t byte = Byte();
    if (byte < 240) return byte % 9;
    return Byte() | Byte() << 8 | Byte() << 16 | Byte() << 24;
  }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

TensorSpec Tensor(Bytes& in) {
  TensorSpec tensor;
  tensor.kind = static_cast<Kind>(in.Byte() % 9);
  tensor.name = std::string(in.Byte() % 3, 'n');
  for (uint32_t n = in.Byte() % 8, layer = 0; n > 0; --n) {
    tensor.layers.push_back(layer);
    layer += in.Number();
  }
  tensor.page_group = in.Byte() % 4;
  tensor.dtype = "u8";
  tensor.heads = in.Number();
  tensor.head_bytes = in.Number();
  tensor.tokens_per_entry = in.Number();
  tensor.tp_sharded = in.Byte() % 2 == 0;
  for (uint32_t n = in.Byte() % 4; n > 0; --n) tensor.sub_blocks.push_back(in.Number());
  tensor.draft = in.Byte() % 4 == 0;
  return tensor;
}

void Topology(Bytes& in, ServerSpec* spec) {
  spec->sizes = {in.Number(), in.Number(), in.Number(), in.Number()};
  spec->cp_sharding = static_cast<CpSharding>(in.Byte() % 8);
  spec->stages.clear();
  const uint32_t stages = spec->sizes.pp > 8 ? 8 : spec->sizes.pp;
  for (uint32_t pp = 0, layer = 0; pp < stages; ++pp) {
    spec->stages.emplace_back();
    for (uint32_t n = in.Byte() % 6; n > 0; --n) spec->stages[pp].push_back(layer++);
  }
}

bool Small(const ServerSpec& spec) {
  uint64_t bytes = 0;
  for (const TensorSpec& t : spec.tensors) {
    bytes += uint64_t{t.heads} * t.head_bytes * t.layers.size();
  }
  uint64_t page_tokens = 0;
  for (const PageGroup& g : spec.page_groups) page_tokens += g.page_tokens;
  return bytes < 4096 && page_tokens < 256 &&
         uint64_t{spec.sizes.pp} * spec.sizes.cp * spec.sizes.tp <= 64;
}

LayoutOptions Options(Bytes& in, const ServerSpec& spec, uint64_t tokens) {
  LayoutOptions options;
  for (const PageGroup& group : spec.page_groups) {
    options.pages.push_back(static_cast<uint32_t>(tokens / group.page_tokens + 2));
  }
  options.rows = 2;
  options.page_style = static_cast<PageStyle>(1 + in.Byte() % 2);
  options.mix_style = static_cast<MixStyle>(1 + in.Byte() % 4);
  options.region_style = static_cast<RegionStyle>(1 + in.Byte() % 2);
  return options;
}

void CheckPair(Bytes& in, const ServerSpec& from, const ServerSpec& to) {
  Trial trial;
  trial.tokens.total = in.Byte() % 48;
  trial.tokens.prefix = in.Byte() % (trial.tokens.total + 1);
  trial.policy = {static_cast<HolderPolicy>(1 + in.Byte() % 2),
                  static_cast<HolderPolicy>(1 + in.Byte() % 2)};
  const LayoutOptions source_options = Options(in, from, trial.tokens.total);
  const LayoutOptions target_options = Options(in, to, trial.tokens.total);
  // A layout may be refused where tensors of one page do not fit together; nothing else may.
  if (!BuildLayout(from, {}, source_options).ok() || !BuildLayout(to, {}, target_options).ok()) {
    return;
  }
  ModelServer source(from, source_options);
  ModelServer target(to, target_options);
  trial.source = &source;
  trial.target = &target;
  Random random(in.Byte());
  trial.chunks = RandomChunks(trial.tokens, 8, random);
  source.OpenRoom(trial.tokens.total, 0, 1);
  target.OpenRoom(trial.tokens.total, trial.tokens.prefix, 2);
  const auto ranks = target.Ranks();
  Tally tally;
  const absl::Status status = CheckTarget(trial, ranks[in.Byte() % ranks.size()], &tally);
  if (status.ok()) return;
  std::cerr << "the plan lies: " << status << "\n";
  std::abort();
}

void TestOneInput(const uint8_t* data, size_t size) {
  Bytes in(data, size);
  (void)DecodePages({reinterpret_cast<const char*>(data), size}, 4096);
  ServerSpec from;
  for (uint32_t n = in.Byte() % 4; n > 0; --n)
    from.page_groups.push_back({in.Number(), in.Number()});
  for (uint32_t n = in.Byte() % 5; n > 0; --n) from.tensors.push_back(Tensor(in));
  ServerSpec to = from;
  Topology(in, &from);
  Topology(in, &to);
  for (PageGroup& group : to.page_groups) group.page_tokens *= 1 + in.Byte() % 3;
  if (!ValidateSpec(from).ok() || !ValidateSpec(to).ok()) return;
  if (!CheckCompatible(from, to).ok()) return;
  (void)SourcesOf(from, 0, to, {}, {}, {in.Number(), in.Number()});
  if (Small(from) && Small(to)) CheckPair(in, from, to);
}

}  // namespace
}  // namespace baton::planner

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  baton::planner::TestOneInput(data, size);
  return 0;
}
