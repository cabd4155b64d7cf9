// Router clients that come and go: the last hold on a channel must not be let go inside of one of
// gRPC's callbacks, or the process aborts.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "client/router/router_client.h"
#include "tests/demo/runner/child.h"
#include "tests/support/eventually.h"

namespace baton {
namespace {

bool ReadLine(const std::string& path, std::string* line) {
  std::ifstream file(path);
  return static_cast<bool>(std::getline(file, *line));
}

TEST(Reopen, ClientsComeAndGo) {
  const std::string folder = ::testing::TempDir();
  const std::string port_file = folder + "/reopen.port";
  auto service =
      demo::Child::Start({"bootstrap",
                          {"bootstrap_service/app/baton-bootstrap", "--listen=127.0.0.1:0",
                           "--port_file=" + port_file, "--settle=none"},
                          folder + "/reopen.log"});
  ASSERT_TRUE(service.ok()) << service.status();
  std::string address;
  ASSERT_TRUE(Eventually([&] { return ReadLine(port_file, &address); }));
  for (int i = 0; i < 150; ++i) {
    RouterOptions options;
    options.bootstrap_address = address;
    auto client = MakeRouterClient(options);
    ASSERT_TRUE(Eventually([&] { return client->synced(); })) << i;
  }
}

}  // namespace
}  // namespace baton
