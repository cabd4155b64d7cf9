#include "common/reason.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace baton {
namespace {

struct Row {
  absl::string_view name;
  absl::StatusCode code;
  absl::string_view help;
};

constexpr Row kRows[] = {
#define X(enumerator, name, code, help) {#name, absl::StatusCode::code, help},
    BATON_REASONS(X)
#undef X
};

constexpr char kReasonUrl[] = "baton/reason";
constexpr char kRankUrl[] = "baton/rank";

const Row& RowOf(Reason reason) { return kRows[static_cast<size_t>(reason)]; }

// What to do about it, where the error's own words do not say.
absl::string_view Advice(int error_number) {
  switch (error_number) {
    case EMFILE:
      return " (raise RLIMIT_NOFILE of this process)";
    case ENFILE:
      return " (raise fs.file-max of this machine)";
    case ENOMEM:
    case ENOSPC:
      return " (give this process or its container more memory or address space)";
    case EFBIG:
      return " (raise RLIMIT_FSIZE of this process)";
    default:
      return "";
  }
}

}  // namespace

absl::string_view ReasonName(Reason reason) { return RowOf(reason).name; }
absl::string_view ReasonHelp(Reason reason) { return RowOf(reason).help; }
absl::StatusCode ReasonCode(Reason reason) { return RowOf(reason).code; }

Reason ReasonFromName(absl::string_view name) {
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].name == name) return static_cast<Reason>(i);
  }
  return Reason::kUnknown;
}

Reason ReasonFromNumber(uint32_t number) {
  return number < std::size(kRows) ? static_cast<Reason>(number) : Reason::kUnknown;
}

absl::Status Error(Reason reason, absl::string_view message) {
  absl::Status status(ReasonCode(reason), message);
  status.SetPayload(kReasonUrl, absl::Cord(ReasonName(reason)));
  return status;
}

absl::Status Error(Reason reason, absl::string_view message, const RankRef& rank) {
  absl::Status status = Error(reason, message);
  const RankCoord& c = rank.coord;
  status.SetPayload(
      kRankUrl, absl::Cord(absl::StrCat(c.dp, "/", c.pp, "/", c.cp, "/", c.tp, "/", rank.server)));
  return status;
}

Reason ReasonOf(const absl::Status& status) {
  auto payload = status.GetPayload(kReasonUrl);
  if (!payload.has_value()) return Reason::kUnknown;
  return ReasonFromName(std::string(*payload));
}

std::optional<RankRef> RankOf(const absl::Status& status) {
  auto payload = status.GetPayload(kRankUrl);
  if (!payload.has_value()) return std::nullopt;
  std::vector<std::string> parts = absl::StrSplit(std::string(*payload), absl::MaxSplits('/', 4));
  RankRef rank;
  uint32_t* fields[] = {&rank.coord.dp, &rank.coord.pp, &rank.coord.cp, &rank.coord.tp};
  if (parts.size() != 5) return std::nullopt;
  for (int i = 0; i < 4; ++i) {
    if (!absl::SimpleAtoi(parts[i], fields[i])) return std::nullopt;
  }
  rank.server = parts[4];
  return rank;
}

absl::Status SystemError(absl::string_view what, int error_number) {
  return Error(Reason::kSystem,
               absl::StrCat(what, ": ", strerror(error_number), Advice(error_number)));
}

}  // namespace baton
