#include "planner/compatible.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/reason.h"
#include "planner/flows.h"
#include "planner/kind_names.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

using Found = std::optional<Incompatibility>;

template <typename A, typename B>
Found Differ(std::string field, const A& source, const B& target) {
  return Incompatibility{std::move(field), absl::StrCat(source), absl::StrCat(target)};
}

std::string List(const std::vector<uint32_t>& numbers) {
  constexpr size_t kShown = 16;
  const auto end = numbers.begin() + std::min(numbers.size(), kShown);
  return absl::StrCat(
      "[", absl::StrJoin(numbers.begin(), end, " "),
      numbers.size() > kShown ? absl::StrCat(" ... ", numbers.size(), " in all") : "", "]");
}

// The layers that only one side has, which is what the reader needs of two long lists.
Found CompareLayers(const std::string& field, const TensorSpec& source, const TensorSpec& target) {
  if (source.layers == target.layers) return std::nullopt;
  std::vector<uint32_t> only_source;
  std::vector<uint32_t> only_target;
  std::set_difference(source.layers.begin(), source.layers.end(), target.layers.begin(),
                      target.layers.end(), std::back_inserter(only_source));
  std::set_difference(target.layers.begin(), target.layers.end(), source.layers.begin(),
                      source.layers.end(), std::back_inserter(only_target));
  return Differ(field, absl::StrCat(source.layers.size(), " layers, alone ", List(only_source)),
                absl::StrCat(target.layers.size(), " layers, alone ", List(only_target)));
}

Found CompareTensors(const ServerSpec& source_spec, const TensorSpec& source,
                     const ServerSpec& target_spec, const TensorSpec& target) {
  const std::string name = absl::StrCat("tensor ", TensorName(target), ": ");
  if (source.dtype != target.dtype) return Differ(name + "dtype", source.dtype, target.dtype);
  if (source.heads != target.heads) return Differ(name + "heads", source.heads, target.heads);
  if (source.head_bytes != target.head_bytes) {
    return Differ(name + "head_bytes", source.head_bytes, target.head_bytes);
  }
  if (source.tokens_per_entry != target.tokens_per_entry) {
    return Differ(name + "tokens_per_entry", source.tokens_per_entry, target.tokens_per_entry);
  }
  if (source.sub_blocks != target.sub_blocks) {
    return Differ(name + "sub_blocks", List(source.sub_blocks), List(target.sub_blocks));
  }
  if (source.draft != target.draft) return Differ(name + "draft", source.draft, target.draft);
  if (!IsRow(target.kind)) {
    const uint32_t s = source_spec.page_groups[source.page_group].window_tokens;
    const uint32_t t = target_spec.page_groups[target.page_group].window_tokens;
    if (s != t) return Differ(name + "window_tokens", s, t);
  }
  return CompareLayers(name + "layers", source, target);
}

// A draft tensor that the other side lacks stays at home, unless the other side keeps such layers
// under another name: then the two descriptions contradict each other.
Found CheckAlone(const TensorSpec& tensor, const ServerSpec& other, bool at_source) {
  const std::string field = absl::StrCat("tensor ", TensorName(tensor));
  const auto differ = [&](absl::string_view mine, absl::string_view theirs) {
    return at_source ? Differ(field, mine, theirs) : Differ(field, theirs, mine);
  };
  if (!tensor.draft) return differ("it", "none");
  for (const TensorSpec& t : other.tensors) {
    if (t.kind != tensor.kind || t.kind == Kind::kAux) continue;
    for (uint32_t layer : t.layers) {
      if (!std::binary_search(tensor.layers.begin(), tensor.layers.end(), layer)) continue;
      return differ(absl::StrCat("layer ", layer, " in it"),
                    absl::StrCat("layer ", layer, " in ", TensorName(t)));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Incompatibility> FindIncompatibility(const ServerSpec& source,
                                                   const ServerSpec& target) {
  for (const TensorSpec& tensor : target.tensors) {
    const uint32_t s = FindTensor(source, tensor);
    Found found = s == kNoTensor ? CheckAlone(tensor, source, /*at_source=*/false)
                                 : CompareTensors(source, source.tensors[s], target, tensor);
    if (found) return found;
  }
  for (const TensorSpec& tensor : source.tensors) {
    if (FindTensor(target, tensor) != kNoTensor) continue;
    if (Found found = CheckAlone(tensor, target, /*at_source=*/true)) return found;
  }
  return std::nullopt;
}

absl::Status CheckCompatible(const ServerSpec& source, const ServerSpec& target) {
  Found found = FindIncompatibility(source, target);
  if (!found) return absl::OkStatus();
  return Error(Reason::kIncompatible, absl::StrCat(found->field, ": source has ", found->source,
                                                   ", target has ", found->target));
}

}  // namespace baton::planner
