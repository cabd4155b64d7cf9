#include "bootstrap_service/registry/difference.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace baton::registry {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::TextFormat;

constexpr int kSingular = -1;

std::string Print(const Message& message, const FieldDescriptor* field, int index) {
  std::string text;
  TextFormat::PrintFieldValueToString(message, field, index, &text);
  return text;
}

std::optional<Difference> Compare(const Message& a, const Message& b, const std::string& prefix);

// One value of `field`: singular, or element `index`.
std::optional<Difference> CompareValue(const Message& a, const Message& b,
                                       const FieldDescriptor* field, int index,
                                       const std::string& path) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    std::string first = Print(a, field, index);
    std::string second = Print(b, field, index);
    if (first == second) return std::nullopt;
    return Difference{path, first, second};
  }
  const auto* in_a = a.GetReflection();
  const auto* in_b = b.GetReflection();
  if (index == kSingular) {
    return Compare(in_a->GetMessage(a, field), in_b->GetMessage(b, field), path + ".");
  }
  return Compare(in_a->GetRepeatedMessage(a, field, index),
                 in_b->GetRepeatedMessage(b, field, index), path + ".");
}

std::optional<Difference> Compare(const Message& a, const Message& b, const std::string& prefix) {
  const auto* descriptor = a.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    std::string path = prefix + field->name();
    if (!field->is_repeated()) {
      if (auto found = CompareValue(a, b, field, kSingular, path)) return found;
      continue;
    }
    int size_a = a.GetReflection()->FieldSize(a, field);
    int size_b = b.GetReflection()->FieldSize(b, field);
    for (int k = 0; k < std::min(size_a, size_b); ++k) {
      if (auto found = CompareValue(a, b, field, k, absl::StrCat(path, "[", k, "]"))) return found;
    }
    if (size_a != size_b) {
      return Difference{path + ".size", absl::StrCat(size_a), absl::StrCat(size_b)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Difference> FirstDifference(const Message& first, const Message& second) {
  return Compare(first, second, "");
}

}  // namespace baton::registry
