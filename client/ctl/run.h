// batonctl as a function: from words to exit status.
#ifndef BATON_CLIENT_CTL_RUN_H_
#define BATON_CLIENT_CTL_RUN_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "client/ctl/exit_code.h"
#include "client/ctl/options.h"
#include "client/ctl/services.h"
#include "common/config/config.h"

namespace baton::ctl {

using ServicesMaker = std::function<std::unique_ptr<Services>(const Options&)>;

// `args` without the program's name. Answers go to `out`, errors to `err`. `terminal`: `out` is
// one, on which a live view may be drawn in place.
ExitCode Run(const std::vector<std::string>& args, const ConfigTable::Environment& getenv,
             const ServicesMaker& make_services, std::ostream& out, std::ostream& err,
             bool terminal = false);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_RUN_H_
