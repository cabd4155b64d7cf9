#include "client/ctl/verbs_rows.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"

namespace baton::ctl {

void AddVerbsRows(Options* options, ConfigTable* table) {
  table->Text("verbs_devices", &options->verbs_devices, "device[/port],...",
              "RDMA devices to use, and no others; empty: every one that works.");
  table->Text("verbs_gid_index", &options->verbs_gid_index, "index",
              "GID to use on RoCE ports; empty: the best.");
  table->Number("verbs_rails", &options->verbs_rails, {1, 8}, "ports",
                "Device ports that a worker spreads its pages over.");
}

absl::StatusOr<transport::verbs::Wishes> WishesOf(const Options& options) {
  transport::verbs::Wishes wishes;
  wishes.devices = absl::StrSplit(options.verbs_devices, ',', absl::SkipEmpty());
  wishes.rails_max = options.verbs_rails;
  if (!options.verbs_gid_index.empty() &&
      (!absl::SimpleAtoi(options.verbs_gid_index, &wishes.gid_index) || wishes.gid_index < 0 ||
       wishes.gid_index > 65535)) {
    return Error(Reason::kConfig,
                 absl::StrCat("--verbs_gid_index=", options.verbs_gid_index, " is no index"));
  }
  return wishes;
}

}  // namespace baton::ctl
