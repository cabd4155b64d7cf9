#include "transfer_agent/app/host_key.h"

#include <sys/stat.h>

#include <fstream>

#include "absl/strings/str_cat.h"

namespace baton::agent {

std::string HostKey(const std::string& shm_folder) {
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  struct stat where = {};
  const std::string path = shm_folder.empty() ? "/proc/self/ns/net" : shm_folder;
  if (stat(path.c_str(), &where) != 0) return absl::StrCat(boot_id, ":none");
  return absl::StrCat(boot_id, ":", where.st_dev, ":", where.st_ino);
}

}  // namespace baton::agent
