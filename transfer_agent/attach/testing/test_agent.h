// An agent for tests of the engine's side: the real attach server, and one worker thread that
// serves every attached rank by a script instead of moving pages.
//
//   TestAgent agent({.socket_path = dir.socket(), .epoch = Epoch(1)});
//   ASSERT_TRUE(agent.Start().ok());
//   agent.OnCommand([](AttachedRank& rank, const shm_abi::Command& command) { ... });
//
// Without a script rooms go well: OpenSend is offered with prefix 7, a last Send is done,
// OpenReceive is done, Abort fails the room, all released; every peer is ready.
#ifndef BATON_TRANSFER_AGENT_ATTACH_TESTING_TEST_AGENT_H_
#define BATON_TRANSFER_AGENT_ATTACH_TESTING_TEST_AGENT_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/mutex.h"
#include "transfer_agent/attach/attach_server.h"

namespace baton::attach {

// A folder with a short name: socket paths are at most 107 bytes long.
class SocketFolder {
 public:
  SocketFolder();
  ~SocketFolder();
  std::string socket() const { return path_ + "/attach.sock"; }

 private:
  std::string path_;
};

class TestAgent final : public AttachEvents {
 public:
  using Script = std::function<void(AttachedRank&, const shm_abi::Command&)>;

  explicit TestAgent(AttachOptions options);
  ~TestAgent() override { Stop(); }

  absl::Status Start();
  void Stop();

  // Before Start. Replaces the script.
  void OnCommand(Script script) { script_ = std::move(script); }
  static void GoWell(AttachedRank& rank, const shm_abi::Command& command);

  // Runs on the worker's thread with every attached rank.
  void WithRanks(std::function<void(AttachedRank&)> work);
  // The worker stops serving and beating, as a stopped process would.
  void Freeze(bool frozen) { frozen_.store(frozen); }
  // Spins instead of sleeping, for benches.
  void Spin(bool spin) { spin_.store(spin); }
  void Detach(AttachmentId id) { server_->Detach(id); }
  // Destroys what is attached, from the agent's side.
  void DropRanks();

  int attached() const { return attached_.load(); }
  int detached() const { return detached_.load(); }
  // Commands served so far.
  uint64_t served() const { return served_.load(); }
  // Times that the worker slept.
  uint64_t sleeps() const { return sleeps_.load(); }

  absl::Status OnAttach(std::unique_ptr<AttachedRank> rank) override;
  void OnDetach(AttachmentId id) override;

 private:
  void RunOnWorker();
  bool ServeOnWorker();
  void SleepOnWorker();

  const AttachOptions options_;
  Script script_ = &TestAgent::GoWell;
  std::unique_ptr<AttachServer> server_;
  std::atomic<bool> stop_{false}, frozen_{false}, spin_{false};
  std::atomic<int> attached_{0}, detached_{0};
  std::atomic<uint64_t> served_{0}, sleeps_{0};
  mutable Mutex mu_;
  std::map<AttachmentId, std::unique_ptr<AttachedRank>> ranks_ ABSL_GUARDED_BY(mu_);
  std::thread worker_;
};

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_TESTING_TEST_AGENT_H_
