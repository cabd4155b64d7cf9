// Is there a place for the sockets on which engines and operators reach the agent?
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckSockets(const Settings& settings, const Host& host) {
  constexpr absl::string_view kName = "sockets";
  constexpr size_t kPathMax = 107;
  std::set<std::string> folders;
  for (const std::string& path : {settings.attach_socket, settings.service_socket}) {
    if (path.size() > kPathMax) {
      return Fail(kName, absl::StrCat(path, " has ", path.size(), " bytes"),
                  absl::StrCat("give a path of at most ", kPathMax, " (Linux's limit)"));
    }
    const size_t slash = path.rfind('/');
    folders.insert(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
  }
  for (const std::string& folder : folders) {
    if (!host.IsFolder(folder)) {
      return Fail(kName, absl::StrCat(folder, " is no folder"),
                  "mount an emptyDir there in agent and engine, or set --attach_socket and "
                  "--service_socket");
    }
    if (!host.MayUse(folder)) {
      return Fail(kName, absl::StrCat(folder, " may not be written by this user"),
                  "set fsGroup of the pod, or the folder's owner");
    }
  }
  return Ok(kName, absl::StrCat(absl::StrJoin(folders, ", "), " may be written"));
}

}  // namespace baton::checks
