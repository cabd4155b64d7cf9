#include "planner/page_list.h"

#include <bit>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::planner {
namespace {

constexpr char kFixedWidth = 1;
constexpr char kRuns = 2;

absl::Status Bad(absl::string_view what) {
  return Error(Reason::kBadMessage, absl::StrCat("page list: ", what));
}

absl::Status TooLong(uint64_t pages, size_t most) {
  return Error(Reason::kTooLarge, absl::StrCat("page list: ", pages, " pages are above ", most));
}

void PutVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

std::optional<uint64_t> GetVarint(absl::string_view* in) {
  uint64_t value = 0;
  for (int shift = 0; shift < 42 && !in->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Empty when it would be longer than `most` bytes.
std::string EncodeRuns(absl::Span<const int32_t> pages, size_t most) {
  std::string out(1, kRuns);
  PutVarint(pages.size(), &out);
  int64_t after = 0;
  for (size_t i = 0; i < pages.size();) {
    size_t n = 1;
    while (i + n < pages.size() && pages[i + n] == pages[i] + static_cast<int64_t>(n)) ++n;
    PutVarint(ZigZag(pages[i] - after), &out);
    PutVarint(n - 1, &out);
    if (out.size() > most) return "";
    after = pages[i] + static_cast<int64_t>(n);
    i += n;
  }
  return out;
}

std::string EncodeFixed(absl::Span<const int32_t> pages, int width) {
  std::string out{kFixedWidth, static_cast<char>(width)};
  PutVarint(pages.size(), &out);
  uint64_t bits = 0;
  int held = 0;
  for (int32_t page : pages) {
    bits |= uint64_t{static_cast<uint32_t>(page)} << held;
    for (held += width; held >= 8; held -= 8, bits >>= 8) out.push_back(static_cast<char>(bits));
  }
  if (held > 0) out.push_back(static_cast<char>(bits));
  return out;
}

absl::StatusOr<std::vector<int32_t>> DecodeFixed(absl::string_view in, size_t pages_max) {
  if (in.empty()) return Bad("no width");
  const int width = static_cast<uint8_t>(in.front());
  in.remove_prefix(1);
  const auto count = GetVarint(&in);
  if (width < 1 || width > 31 || !count.has_value() || *count == 0) return Bad("bad header");
  if (*count > pages_max) return TooLong(*count, pages_max);
  const uint64_t length = (*count * static_cast<uint64_t>(width) + 7) / 8;
  if (in.size() != length) {
    return Bad(absl::StrCat(in.size(), " bytes for ", *count, " pages of ", width, " bits"));
  }
  std::vector<int32_t> pages;
  pages.reserve(*count);
  uint64_t bits = 0;
  int held = 0;
  size_t at = 0;
  for (uint64_t i = 0; i < *count; ++i) {
    for (; held < width; held += 8) bits |= uint64_t{static_cast<uint8_t>(in[at++])} << held;
    pages.push_back(static_cast<int32_t>(bits & ((uint64_t{1} << width) - 1)));
    bits >>= width;
    held -= width;
  }
  if (bits != 0) return Bad("bits after the last page");
  return pages;
}

absl::StatusOr<std::vector<int32_t>> DecodeRuns(absl::string_view in, size_t pages_max) {
  const auto count = GetVarint(&in);
  if (!count.has_value() || *count == 0) return Bad("bad header");
  if (*count > pages_max) return TooLong(*count, pages_max);
  std::vector<int32_t> pages;
  pages.reserve(*count);
  int64_t after = 0;
  while (pages.size() < *count) {
    const auto step = GetVarint(&in);
    const auto more = GetVarint(&in);
    if (!step.has_value() || !more.has_value()) return Bad("cut short");
    const int64_t first = after + UnZigZag(*step);
    if (*more >= *count - pages.size()) return Bad("runs longer than the list");
    after = first + static_cast<int64_t>(*more) + 1;
    if (first < 0 || after > int64_t{INT32_MAX} + 1) return Bad("a page out of range");
    for (int64_t page = first; page < after; ++page) pages.push_back(static_cast<int32_t>(page));
  }
  if (!in.empty()) return Bad("bytes after the last run");
  return pages;
}

}  // namespace

std::string EncodePages(absl::Span<const int32_t> pages) {
  if (pages.empty()) return "";
  uint32_t all = 1;
  for (int32_t page : pages) all |= static_cast<uint32_t>(page);
  const int width = std::bit_width(all);
  const size_t fixed = 3 + (pages.size() * static_cast<size_t>(width) + 7) / 8;
  std::string runs = EncodeRuns(pages, fixed);
  return runs.empty() ? EncodeFixed(pages, width) : runs;
}

absl::StatusOr<std::vector<int32_t>> DecodePages(absl::string_view bytes, size_t pages_max) {
  if (bytes.empty()) return std::vector<int32_t>();
  const char form = bytes.front();
  bytes.remove_prefix(1);
  if (form == kFixedWidth) return DecodeFixed(bytes, pages_max);
  if (form == kRuns) return DecodeRuns(bytes, pages_max);
  return Bad(absl::StrCat("form ", static_cast<int>(form), " is unknown"));
}

}  // namespace baton::planner
