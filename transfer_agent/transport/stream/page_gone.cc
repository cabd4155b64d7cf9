#include "transfer_agent/transport/stream/page_gone.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport {

absl::Status PageGone(absl::string_view whose) {
  return Error(Reason::kBadRegion,
               absl::StrCat("a page of the ", whose,
                            "'s pool is gone: its engine gave it back, and the host has none left "
                            "to put in its place (huge pages?). Do not punch holes in a pool that "
                            "is attached"));
}

}  // namespace baton::transport
