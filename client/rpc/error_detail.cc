#include "client/rpc/error_detail.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/utf8.h"

namespace baton {
namespace {

// Cuts between characters: proto strings must stay UTF-8.
std::string Cut(absl::string_view text) {
  if (text.size() <= kErrorMessageBytesMax) return std::string(text);
  size_t end = kErrorMessageBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "...");
}

}  // namespace

v1::ErrorDetail ToDetail(const absl::Status& status) {
  v1::ErrorDetail detail;
  detail.set_reason(std::string(ReasonName(ReasonOf(status))));
  detail.set_message(Cut(status.message()));
  if (auto rank = RankOf(status)) {
    detail.mutable_rank()->set_server(rank->server);
    v1::RankCoord* coord = detail.mutable_rank()->mutable_coord();
    coord->set_dp(rank->coord.dp);
    coord->set_pp(rank->coord.pp);
    coord->set_cp(rank->coord.cp);
    coord->set_tp(rank->coord.tp);
  }
  return detail;
}

absl::Status FromDetail(const v1::ErrorDetail& detail) {
  Reason reason = ReasonFromName(detail.reason());
  bool newer = reason == Reason::kUnknown && detail.reason() != ReasonName(Reason::kUnknown) &&
               !detail.reason().empty();
  // It goes into logs and onto terminals of this side.
  std::string message =
      CleanUtf8(newer ? absl::StrCat(Cut(detail.reason()), ": ", Cut(detail.message()))
                      : Cut(detail.message()));
  if (!detail.has_rank()) return Error(reason, message);
  const v1::RankCoord& c = detail.rank().coord();
  return Error(reason, message,
               RankRef{CleanUtf8(detail.rank().server()), {c.dp(), c.pp(), c.cp(), c.tp()}});
}

}  // namespace baton
