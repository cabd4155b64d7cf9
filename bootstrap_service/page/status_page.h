// The status page of the bootstrap service: servers as grids of (tp, cp) cells. A pure function of
// what the store lists.
#ifndef BATON_BOOTSTRAP_SERVICE_PAGE_STATUS_PAGE_H_
#define BATON_BOOTSTRAP_SERVICE_PAGE_STATUS_PAGE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "admin/health.h"
#include "baton/v1/registry.pb.h"

namespace baton::registry {

// A page is smaller than this, whatever is registered.
inline constexpr size_t kPageBytesMax = 150 * 1024;

struct PageInput {
  std::string address;
  admin::Health health;
  bool settled = true;
  size_t watchers = 0;
  // Sorted by name.
  std::vector<v1::ServerRecord> servers;
  // Only this server is shown; empty: all, grids first for as many as there is room for.
  std::string only;
};

std::string StatusPage(const PageInput& input);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_PAGE_STATUS_PAGE_H_
