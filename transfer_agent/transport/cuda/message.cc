#include "transfer_agent/transport/cuda/message.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::cuda {
namespace {

// What stands before the lists: all words, lists, rows, row of AUX, and the first token's halves.
constexpr size_t kHeadWords = 6;

absl::Status Bad(absl::string_view what) {
  return Error(Reason::kBadMessage, absl::StrCat("cuda: page lists: ", what));
}

}  // namespace

MemoryRecord ToRecord(const LocalRegion& region) {
  MemoryRecord record;
  record.size = region.size;
  if (!region.dma_buf) return record;
  record.offset = region.share.offset;
  record.allocation_bytes = region.share.allocation_bytes;
  record.kind = static_cast<uint32_t>(region.share.kind);
  std::memcpy(record.device, region.share.device.data(), sizeof(record.device));
  std::memcpy(record.ipc, region.share.ipc.data(), sizeof(record.ipc));
  return record;
}

absl::StatusOr<DeviceShare> ToShare(const MemoryRecord& record, int fd) {
  if (record.kind > static_cast<uint32_t>(DeviceShare::Kind::kVmm)) {
    return Error(Reason::kBadMessage, absl::StrCat("cuda: memory of kind ", record.kind));
  }
  DeviceShare share;
  share.kind = static_cast<DeviceShare::Kind>(record.kind);
  share.fd = fd;
  share.offset = record.offset;
  share.allocation_bytes = record.allocation_bytes;
  std::memcpy(share.device.data(), record.device, sizeof(record.device));
  std::memcpy(share.ipc.data(), record.ipc, sizeof(record.ipc));
  return share;
}

void EncodePages(const planner::SidePages& pages, std::vector<int32_t>* words) {
  words->clear();
  words->push_back(0);
  words->push_back(static_cast<int32_t>(pages.pages.size()));
  words->push_back(static_cast<int32_t>(pages.state_rows.size()));
  words->push_back(static_cast<int32_t>(pages.aux_row));
  words->push_back(static_cast<int32_t>(pages.first_token));
  words->push_back(static_cast<int32_t>(pages.first_token >> 32));
  for (const auto& list : pages.pages) words->push_back(static_cast<int32_t>(list.size()));
  for (const auto& list : pages.pages) words->insert(words->end(), list.begin(), list.end());
  for (uint32_t row : pages.state_rows) words->push_back(static_cast<int32_t>(row));
  words->front() = static_cast<int32_t>(words->size());
}

absl::Status ReadPages::Parse() {
  if (words.size() < kHeadWords) return Bad("no head");
  const auto at = [this](size_t i) { return static_cast<uint32_t>(words[i]); };
  const uint64_t lists = at(1);
  const uint64_t rows = at(2);
  pages = {};
  pages.aux_row = at(3);
  pages.first_token = at(4) | uint64_t{at(5)} << 32;
  if (lists + rows + kHeadWords > words.size()) return Bad("more lists than words");
  uint64_t begin = kHeadWords + lists;
  for (uint64_t i = 0; i < lists; ++i) {
    const uint64_t size = at(kHeadWords + i);
    if (size > words.size() - begin) return Bad("a list is longer than the words");
    pages.pages.push_back({words.data() + begin, size});
    begin += size;
  }
  if (words.size() - begin != rows) return Bad("the words do not add up");
  pages.state_rows = {reinterpret_cast<const uint32_t*>(words.data()) + begin, rows};
  return absl::OkStatus();
}

}  // namespace baton::transport::cuda
