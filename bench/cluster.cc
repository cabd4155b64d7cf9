#include "bench/cluster.h"

#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace baton::bench {
namespace {

std::string AwaitLine(const std::string& path) {
  for (int i = 0; i < 1000; ++i) {
    std::string line;
    if (std::getline(std::ifstream(path) >> std::ws, line) && !line.empty()) return line;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  LOG(FATAL) << path << " was not written within 10 s";
}

}  // namespace

Cluster::Cluster(const std::string& argv0) : argv0_(argv0) {
  auto folder = demo::ScratchFolder::Make();
  CHECK(folder.ok()) << folder.status();
  folder_ = std::make_unique<demo::ScratchFolder>(*std::move(folder));
}

std::string Cluster::RunBootstrap(const std::string& listen) {
  Run("bootstrap", "bootstrap_service/app/baton-bootstrap",
      {absl::StrCat("--listen=", listen), absl::StrCat("--port_file=", Path("bootstrap")),
       "--settle=none"});
  return AwaitLine(Path("bootstrap"));
}

pid_t Cluster::RunAgent(const std::string& name, const std::string& bootstrap,
                        std::vector<std::string> flags) {
  flags.push_back(absl::StrCat("--bootstrap=", bootstrap));
  flags.push_back(absl::StrCat("--attach_socket=", AttachSocket(name)));
  flags.push_back(absl::StrCat("--service_socket=", Path(name), ".s"));
  flags.push_back(absl::StrCat("--port_file=", Path(name)));
  flags.push_back(absl::StrCat("--admin_port_file=", Path(name), ".admin"));
  Run(name, "transfer_agent/app/baton-agent", std::move(flags));
  AwaitLine(Path(name));
  return children_.back()->pid();
}

std::string Cluster::Admin(const std::string& agent) const {
  return AwaitLine(Path(agent) + ".admin");
}

void Cluster::Run(const std::string& name, const std::string& program,
                  std::vector<std::string> flags) {
  auto path = demo::FindBuilt(argv0_, program);
  CHECK(path.ok()) << path.status();
  flags.insert(flags.begin(), *path);
  auto child = demo::Child::Start({name, flags, Path(name) + ".log", -1});
  CHECK(child.ok()) << child.status();
  children_.push_back(*std::move(child));
}

}  // namespace baton::bench
