// A bootstrap service and two agents as processes, and engines of the smallest rank at them: for
// tests of what an engine gets from the real programs.
#ifndef BATON_CLIENT_ENGINE_TESTING_REAL_AGENTS_H_
#define BATON_CLIENT_ENGINE_TESTING_REAL_AGENTS_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/engine/engine_client.h"
#include "client/engine/testing/small_engine.h"
#include "common/memfd.h"
#include "tests/demo/runner/child.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"

namespace baton {

class RealAgents : public ::testing::Test {
 protected:
  RealAgents() {
    // Short: the paths of Unix sockets are.
    char folder[] = "/tmp/real.XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~RealAgents() override {
    children_.clear();
    std::filesystem::remove_all(folder_);
  }

  void SetUp() override {
    Start("bootstrap", {"bootstrap_service/app/baton-bootstrap", "--listen=127.0.0.1:0",
                        "--port_file=" + Path("registry"), "--settle=none"});
    ASSERT_TRUE(Eventually([&] { return ReadLine("registry", &registry_); })) << Logs();
    StartAgent("prefill");
    StartAgent("decode");
  }

  void StartAgent(const std::string& name) {
    std::filesystem::remove(Path(name + ".port"));
    Start(name, {"transfer_agent/app/baton-agent", "--listen=127.0.0.1:0", "--transport=tcp",
                 "--bootstrap=" + registry_, "--port_file=" + Path(name + ".port"),
                 "--attach_socket=" + Path(name + ".attach"),
                 "--service_socket=" + Path(name + ".agent")});
    std::string address;
    ASSERT_TRUE(Eventually([&] { return ReadLine(name + ".port", &address); })) << Logs();
  }
  void KillAgent(const std::string& name) { children_.erase(name); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Start(const std::string& name, std::vector<std::string> argv) {
    auto child = demo::Child::Start({name, std::move(argv), Path(name + ".log")});
    ASSERT_TRUE(child.ok()) << child.status();
    children_[name] = *std::move(child);
  }
  bool ReadLine(const std::string& name, std::string* line) const {
    std::ifstream file(Path(name));
    return static_cast<bool>(std::getline(file, *line));
  }
  std::string Logs() const {
    std::string all;
    for (const auto& [name, child] : children_) all += name + ":\n" + child->LogTail(20) + "\n";
    return all;
  }

  // At the agent of that name; its server is prefill-a or decode-a.
  EngineOptions OptionsAt(const std::string& agent, Role role, const UniqueFd& pool) const {
    EngineOptions options = SmallEngine(Path(agent + ".attach"), role, pool.get());
    options.slots = 16;
    return options;
  }
  std::unique_ptr<EngineClient> Attach(const EngineOptions& options) {
    auto engine = EngineClient::Attach(options);
    EXPECT_TRUE(engine.ok()) << engine.status() << Logs();
    return engine.ok() ? *std::move(engine) : nullptr;
  }

  static bool Ends(const EngineClient& engine, RoomHandle room, RoomPhase phase) {
    return Eventually([&] { return IsTerminal(engine.Poll(room)); }) &&
           engine.Poll(room).phase == phase;
  }

  std::string folder_;
  std::string registry_;
  std::map<std::string, std::unique_ptr<demo::Child>> children_;
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_TESTING_REAL_AGENTS_H_
