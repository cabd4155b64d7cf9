// The two streams of a link.
#ifndef BATON_TRANSFER_AGENT_CONTROL_PRIORITY_H_
#define BATON_TRANSFER_AGENT_CONTROL_PRIORITY_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace baton::control {

enum class Priority : uint8_t { kBulk = 0, kUrgent = 1 };

inline constexpr Priority kPriorities[] = {Priority::kBulk, Priority::kUrgent};

constexpr size_t Index(Priority priority) { return static_cast<size_t>(priority); }

constexpr absl::string_view Name(Priority priority) {
  return priority == Priority::kUrgent ? "urgent" : "bulk";
}

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_PRIORITY_H_
