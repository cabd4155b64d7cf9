// What batonctl says of itself. Pure.
#ifndef BATON_CLIENT_CTL_HELP_H_
#define BATON_CLIENT_CTL_HELP_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/ctl/command.h"

namespace baton::ctl {

// All verbs, a first walk through them, exit statuses.
std::string GeneralHelp();
// One verb: what it tells, its flags, an example.
std::string CommandHelp(const Command& command);
// The verbs that begin as `words` do, or all.
std::string UsageError(const std::vector<std::string>& words);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_HELP_H_
