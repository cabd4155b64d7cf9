#include "planner/kind_names.h"

#include "absl/strings/str_cat.h"

namespace baton::planner {

absl::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kK:
      return "K";
    case Kind::kV:
      return "V";
    case Kind::kLatent:
      return "LATENT";
    case Kind::kIndex:
      return "INDEX";
    case Kind::kScale:
      return "SCALE";
    case Kind::kState:
      return "STATE";
    case Kind::kAux:
      return "AUX";
  }
  return "?";
}

absl::string_view Name(CpSharding sharding) {
  switch (sharding) {
    case CpSharding::kReplicated:
      return "REPLICATED";
    case CpSharding::kContiguous:
      return "CONTIGUOUS";
    case CpSharding::kInterleavedToken:
      return "INTERLEAVED_TOKEN";
    case CpSharding::kInterleavedPage:
      return "INTERLEAVED_PAGE";
    case CpSharding::kZigzag:
      return "ZIGZAG";
    case CpSharding::kLayerSplit:
      return "LAYER_SPLIT";
    case CpSharding::kInterleavedPageTp:
      return "INTERLEAVED_PAGE_TP";
    case CpSharding::kInterleavedPageCpTp:
      return "INTERLEAVED_PAGE_CP_TP";
  }
  return "?";
}

absl::string_view Name(HolderPolicy policy) {
  switch (policy) {
    case HolderPolicy::kOne:
      return "ONE";
    case HolderPolicy::kSpread:
      return "SPREAD";
  }
  return "?";
}

std::string TensorName(const TensorSpec& tensor) {
  return tensor.name.empty() ? std::string(Name(tensor.kind))
                             : absl::StrCat(Name(tensor.kind), " ", tensor.name);
}

}  // namespace baton::planner
