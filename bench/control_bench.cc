// Control streams: memory of an agent for each idle peer, frames per second, round-trip time.
//
// The peers live in a child process, so that only this agent's side of each link is weighed.
#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/unique_fd.h"
#include "transfer_agent/control/peer_links.h"

namespace baton::control {
namespace {

constexpr int kWarmPeers = 8;
constexpr int kIdlePeers = 64;
constexpr double kTargetKib = 256;

// Counts, and sends back what comes on the urgent stream where it is told to.
class Counter : public PeerEvents {
 public:
  void OnPeerUp(const PeerInfo& peer) override {
    MutexLock lock(&mu_);
    up_.push_back(peer.id);
    changed_.NotifyAll();
  }
  void OnPeerDown(PeerId, const absl::Status& cause) override { LOG(FATAL) << cause; }
  void OnDialFailed(const std::string& address, const absl::Status& cause) override {
    LOG(WARNING) << address << ": " << cause;
  }
  void OnBadFrame(PeerId, const v1::Frame&, const absl::Status& cause) override {
    LOG(FATAL) << cause;
  }
  void OnFrame(PeerId peer, Priority priority, v1::Frame frame) override {
    if (echo != nullptr && priority == Priority::kUrgent) {
      CHECK(echo->Send(peer, priority, std::move(frame)).ok());
      return;
    }
    MutexLock lock(&mu_);
    ++frames_;
    changed_.NotifyAll();
  }
  void AwaitUp(size_t count) {
    MutexLock lock(&mu_);
    while (up_.size() < count) changed_.WaitUntil(&mu_, Monotonic::now() + std::chrono::seconds(1));
  }
  void AwaitFrames(uint64_t count) {
    MutexLock lock(&mu_);
    while (frames_ < count) changed_.WaitUntil(&mu_, Monotonic::now() + std::chrono::seconds(1));
  }
  PeerId first() {
    MutexLock lock(&mu_);
    return up_.front();
  }

  PeerLinks* echo = nullptr;

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<PeerId> up_ ABSL_GUARDED_BY(mu_);
  uint64_t frames_ ABSL_GUARDED_BY(mu_) = 0;
};

struct Agent {
  explicit Agent(uint64_t epoch) {
    PeerLinksOptions options;
    options.epoch = Epoch(epoch);
    options.silence = std::chrono::seconds(30);
    links = MakePeerLinks(options, &events);
    absl::Status started = links->Start();
    CHECK(started.ok()) << started;
  }
  Counter events;
  std::unique_ptr<PeerLinks> links;
};

// The other process: agents that answer, and that dial where standard input says. Ends with it.
int RunPeers(int count) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<std::unique_ptr<Agent>> agents;
  for (int i = 0; i < count; ++i) {
    agents.push_back(std::make_unique<Agent>(1000 + i));
    agents.back()->events.echo = agents.back()->links.get();
    std::cout << agents.back()->links->address() << std::endl;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    std::vector<std::string> words = absl::StrSplit(line, ' ');
    int first, last;
    CHECK(words.size() == 3 && absl::SimpleAtoi(words[1], &first) &&
          absl::SimpleAtoi(words[2], &last));
    for (int i = first; i < last; ++i) agents[i]->links->Dial(words[0]);
  }
  return 0;
}

struct Peers {
  pid_t pid;
  UniqueFd commands;
  std::vector<std::string> addresses;
};

Peers StartPeers(int count) {
  int in[2], out[2];
  CHECK_EQ(pipe2(in, O_CLOEXEC), 0);
  CHECK_EQ(pipe2(out, O_CLOEXEC), 0);
  Peers peers;
  peers.pid = fork();
  CHECK_GE(peers.pid, 0);
  if (peers.pid == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    const std::string text = std::to_string(count);
    execl("/proc/self/exe", "control_bench", "--peers", text.c_str(), nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  peers.commands = UniqueFd(in[1]);
  FILE* lines = fdopen(out[0], "r");
  char line[256];
  while (static_cast<int>(peers.addresses.size()) < count) {
    CHECK(fgets(line, sizeof(line), lines) != nullptr) << "the peers' process ended";
    peers.addresses.emplace_back(line, strcspn(line, "\n"));
  }
  fclose(lines);
  return peers;
}

// Anonymous memory of this process in KiB, after giving back what is free.
double AnonymousKib() {
  malloc_trim(0);
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    double kib;
    if (word == "RssAnon:" && status >> kib) return kib;
  }
  LOG(FATAL) << "/proc/self/status has no RssAnon";
}

void Report(const char* what, double value, const char* unit, const char* note = "") {
  printf("%-46s %12.1f %-10s %s\n", what, value, unit, note);
}

void MeasureMemory() {
  Peers peers = StartPeers(kWarmPeers + kIdlePeers);
  const char* const verdict[] = {"target <= 256: above", "target <= 256: ok"};
  for (bool dials : {true, false}) {
    Agent agent(dials ? 1 : 2);
    auto join = [&](int first, int last) {
      if (dials) {
        for (int i = first; i < last; ++i) agent.links->Dial(peers.addresses[i]);
      } else {
        const std::string command = agent.links->address() + " " + std::to_string(first) + " " +
                                    std::to_string(last) + "\n";
        CHECK_GT(write(peers.commands.get(), command.data(), command.size()), 0);
      }
      agent.events.AwaitUp(last);
      usleep(1500 * 1000);
    };
    join(0, kWarmPeers);
    const double before = AnonymousKib();
    join(kWarmPeers, kWarmPeers + kIdlePeers);
    const double kib = (AnonymousKib() - before) / kIdlePeers;
    Report(
        dials ? "memory per idle peer, this agent dialled" : "memory per idle peer, it was dialled",
        kib, "KiB", verdict[kib <= kTargetKib]);
    const clock_t cpu = clock();
    usleep(3000 * 1000);
    Report("  CPU with 72 idle peers", 100.0 * (clock() - cpu) / CLOCKS_PER_SEC / 3, "% of core");
  }
  kill(peers.pid, SIGKILL);
  waitpid(peers.pid, nullptr, 0);
}

v1::Frame FrameOf(size_t bytes) {
  v1::Frame frame;
  v1::Offer& offer = *frame.mutable_offer();
  offer.mutable_source()->set_server("prefill-0");
  offer.mutable_target()->set_server("decode-0");
  offer.add_pages()->set_pages(std::string(bytes, 'p'));
  return frame;
}

void MeasureRate(Agent* from, Agent* to, PeerId peer, size_t bytes, uint64_t count,
                 uint64_t* sent) {
  const v1::Frame frame = FrameOf(bytes);
  const TimePoint begin = Monotonic::now();
  for (uint64_t i = 0; i < count; ++i) {
    while (!from->links->Send(peer, Priority::kBulk, frame).ok()) usleep(100);
  }
  *sent += count;
  to->events.AwaitFrames(*sent);
  const double seconds = std::chrono::duration<double>(Monotonic::now() - begin).count();
  char what[64], note[64];
  snprintf(what, sizeof(what), "bulk frames of %zu bytes, one process", bytes);
  snprintf(note, sizeof(note), "%.0f MB/s", count * bytes / seconds / 1e6);
  Report(what, count / seconds, "frames/s", note);
}

void MeasureFrames() {
  Agent source(1), target(2);
  target.links->Dial(source.links->address());
  target.events.AwaitUp(1);
  source.events.AwaitUp(1);
  uint64_t sent = 0;
  MeasureRate(&target, &source, target.events.first(), 200, 50000, &sent);
  MeasureRate(&target, &source, target.events.first(), 20000, 10000, &sent);
  source.events.echo = source.links.get();
  std::vector<double> micros;
  for (int i = 1; i <= 2000; ++i) {
    const TimePoint begin = Monotonic::now();
    CHECK(target.links->Send(target.events.first(), Priority::kUrgent, FrameOf(0)).ok());
    target.events.AwaitFrames(i);
    micros.push_back(std::chrono::duration<double, std::micro>(Monotonic::now() - begin).count());
  }
  absl::c_sort(micros);
  Report("urgent round trip, p50", micros[micros.size() / 2], "us");
  Report("urgent round trip, p99", micros[micros.size() * 99 / 100], "us");
}

}  // namespace
}  // namespace baton::control

int main(int argc, char** argv) {
#ifndef NDEBUG
  fprintf(stderr, "control_bench: build it with -c opt\n");
  return 2;
#endif
  baton::InitLog(argv[0]);
  int peers;
  if (argc == 3 && strcmp(argv[1], "--peers") == 0 && absl::SimpleAtoi(argv[2], &peers)) {
    return baton::control::RunPeers(peers);
  }
  baton::control::MeasureMemory();
  baton::control::MeasureFrames();
  return 0;
}
