#include <stdlib.h>

#include <string>

#include "common/log.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/factory.h"
#include "transfer_agent/transport/shm/factory.h"

namespace baton::transport {
namespace {

Candidate Shm(const std::string& name, const std::string& folder) {
  return {.name = name,
          .create =
              [folder](bool checksums) {
                return CreateShmTransport({.socket_folder = folder, .checksums = checksums});
              },
          .copies = 1,
          .done_without_target = false};
}

// Short: the path of a socket has 107 bytes at most.
const std::string& Folder() {
  static const std::string* const folder = [] {
    char path[] = "/tmp/baton-shm-XXXXXX";
    CHECK(mkdtemp(path) != nullptr);
    return new std::string(path);
  }();
  return *folder;
}

INSTANTIATE_TEST_SUITE_P(Shm, TransportConformance,
                         testing::Values(Shm("abstract", ""), Shm("folder", Folder())),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace baton::transport
