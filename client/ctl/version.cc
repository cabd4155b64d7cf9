// batonctl version
#include "common/version.h"

#include <google/protobuf/struct.pb.h>

#include "absl/strings/str_cat.h"
#include "client/ctl/commands.h"
#include "planner/plan.h"

namespace baton::ctl {
namespace {

absl::Status Run(const Invocation& call) {
  google::protobuf::Struct message;
  Section section{"", {{"WHAT", "VERSION"}, {}}, ""};
  auto add = [&](const std::string& what, const std::string& value) {
    (*message.mutable_fields())[what].set_string_value(value);
    section.table.rows.push_back({what, value});
  };
  add("batonctl", kVersionText);
  add("planner",
      planner::kPlannerVersionMin == planner::kPlannerVersionMax
          ? absl::StrCat(planner::kPlannerVersionMax)
          : absl::StrCat(planner::kPlannerVersionMin, " to ", planner::kPlannerVersionMax));
  call.printer->Show(message, {section});
  return absl::OkStatus();
}

}  // namespace

const Command kVersion = {
    "version",
    "",
    "The version of this program and of the planner it has.",
    R"(Two agents work together when they have a planner version in common. What a running agent has
is in agent status.

  batonctl version -o json)",
    0,
    0,
    nullptr,
    Run,
};

}  // namespace baton::ctl
