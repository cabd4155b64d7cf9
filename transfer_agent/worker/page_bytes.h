// Page lists on the wire.
#ifndef BATON_TRANSFER_AGENT_WORKER_PAGE_BYTES_H_
#define BATON_TRANSFER_AGENT_WORKER_PAGE_BYTES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/reason.h"

namespace baton::planner {

inline std::string EncodePageList(absl::Span<const int32_t> pages) {
  return std::string(reinterpret_cast<const char*>(pages.data()), pages.size() * sizeof(int32_t));
}

inline absl::StatusOr<std::vector<int32_t>> DecodePageList(absl::string_view bytes, size_t max) {
  if (bytes.size() % sizeof(int32_t) != 0 || bytes.size() / sizeof(int32_t) > max) {
    return Error(Reason::kBadMessage, "page list of odd size");
  }
  std::vector<int32_t> pages(bytes.size() / sizeof(int32_t));
  if (!pages.empty()) std::memcpy(pages.data(), bytes.data(), bytes.size());
  return pages;
}

}  // namespace baton::planner

#endif  // BATON_TRANSFER_AGENT_WORKER_PAGE_BYTES_H_
