// Words of a command line: which verb they name, and what could stand next. Pure but for the names
// of servers, which are asked for.
#ifndef BATON_CLIENT_CTL_COMMAND_LINE_H_
#define BATON_CLIENT_CTL_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/ctl/command.h"
#include "client/ctl/run.h"

namespace baton::ctl {

// First argument of the call that completion scripts make.
inline constexpr absl::string_view kCompleteWord = "__complete";

// What is no flag and no flag's value. Flags may stand anywhere, so the verb is known only after
// they are taken out, and which flags there are only when the verb is.
std::vector<std::string> PlainWords(const std::vector<std::string>& args);

// Null: no verb begins `words`.
const Command* FindCommand(const std::vector<std::string>& words);

// What may stand in the place of the last of `words`, which has been begun; sorted, a line each. A
// line "FILE" alone: the shell shall complete names of files.
std::string CompleteLines(const std::vector<std::string>& words,
                          const ConfigTable::Environment& getenv,
                          const ServicesMaker& make_services);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_COMMAND_LINE_H_
