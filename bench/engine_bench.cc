// What Baton costs on the engine's thread, and why calls travel on the ring instead of gRPC.
//
//   submit   one Send of 64 pages, the agent's worker awake or asleep; beside the latter what the
//            kernel alone takes to wake a sleeping thread
//   poll     one room
//   open     one room opened until the engine sees the agent's answer: on the ring, worker awake
//   and
//            asleep, against a unary gRPC call of two small messages over a Unix socket
//
// Engine and worker are two threads of this process; the memory between them is the real ring and
// table. Rounds are interleaved; medians over rounds.
#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "baton/v1/agent_service.grpc.pb.h"
#include "client/engine/engine_client.h"
#include "common/log.h"
#include "common/memfd.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton {
namespace {

using Clock = std::chrono::steady_clock;
using attach::TestAgent;

constexpr int kRounds = 7;

double Nanos(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double, std::nano>(end - begin).count();
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// What the kernel takes to wake a thread that sleeps on an eventfd, as the worker does: the part of
// "submit, worker asleep" that is not Baton's.
class Sleeper {
 public:
  Sleeper() : bell_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), thread_([this] { Run(); }) {}
  ~Sleeper() {
    stop_.store(true);
    Ring();
    thread_.join();
  }
  void Ring() {
    uint64_t one = 1;
    CHECK_EQ(write(bell_.get(), &one, sizeof(one)), ssize_t{sizeof(one)});
  }
  uint64_t sleeps() const { return sleeps_.load(); }

 private:
  void Run() {
    while (!stop_.load()) {
      sleeps_.fetch_add(1);
      pollfd wait = {bell_.get(), POLLIN, 0};
      poll(&wait, 1, 10);
      uint64_t rings;
      (void)!read(bell_.get(), &rings, sizeof(rings));
    }
  }

  UniqueFd bell_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> sleeps_{0};
  std::thread thread_;
};

class Bench {
 public:
  Bench();
  void Run();

 private:
  double SubmitAwake();
  double SubmitAsleep();
  double RawWake();
  double Poll();
  double OpenOnRing(bool awake);
  double OpenOnGrpc();
  void WaitUntilAsleep();
  void WaitUntilServed(uint64_t count);
  Chunk SmallChunk();

  attach::SocketFolder folder_;
  UniqueFd pool_;
  TestAgent agent_;
  std::unique_ptr<EngineClient> engine_;
  RoomHandle room_;
  std::vector<int32_t> pages_ = std::vector<int32_t>(64, 1);
  v1::Agent::Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Agent::Stub> stub_;
};

attach::AttachOptions AgentOptions(const std::string& socket) {
  attach::AttachOptions options;
  options.socket_path = socket;
  options.epoch = Epoch(1);
  return options;
}

Bench::Bench()
    : pool_(*CreateSealedMemfd("pool", attach::kSmallPoolBytes)),
      agent_(AgentOptions(folder_.socket())) {
  CHECK(agent_.Start().ok());
  EngineOptions options;
  options.agent_socket = folder_.socket();
  options.server = "bench";
  options.launch_id = "1";
  options.spec = attach::SmallSpec();
  options.layout = attach::SmallLayout();
  options.regions = {{"kv", pool_.get(), attach::kSmallPoolBytes, false}};
  auto engine = EngineClient::Attach(options);
  CHECK(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
  room_ = *engine_->OpenSend({.room = {1}, .total_tokens = 1024});
  // An unimplemented method: the call's whole way, without a handler's cost.
  std::string address = "unix:" + folder_.socket() + ".grpc";
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service_);
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr);
  stub_ = v1::Agent::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
}

Chunk Bench::SmallChunk() {
  Chunk chunk;
  chunk.token_end = 1024;
  chunk.pages = {pages_};
  return chunk;
}

void Bench::WaitUntilAsleep() {
  agent_.Spin(false);
  uint64_t before = agent_.sleeps();
  while (agent_.sleeps() == before) std::this_thread::yield();
  // It has announced its sleep; let it get there.
  std::this_thread::sleep_for(std::chrono::microseconds(300));
}

void Bench::WaitUntilServed(uint64_t count) {
  while (agent_.served() < count) std::this_thread::yield();
}

double Bench::SubmitAwake() {
  constexpr int kSends = 2000;
  agent_.Spin(true);
  Chunk chunk = SmallChunk();
  std::vector<double> batches;
  for (int batch = 0; batch < 20; ++batch) {
    uint64_t served = agent_.served();
    Clock::time_point begin = Clock::now();
    for (int i = 0; i < kSends; ++i) CHECK(engine_->Send(room_, chunk).ok());
    batches.push_back(Nanos(begin, Clock::now()) / kSends);
    WaitUntilServed(served + kSends);
  }
  agent_.Spin(false);
  return Median(batches);
}

double Bench::SubmitAsleep() {
  Chunk chunk = SmallChunk();
  std::vector<double> sends;
  for (int i = 0; i < 100; ++i) {
    WaitUntilAsleep();
    uint64_t served = agent_.served();
    Clock::time_point begin = Clock::now();
    CHECK(engine_->Send(room_, chunk).ok());
    sends.push_back(Nanos(begin, Clock::now()));
    WaitUntilServed(served + 1);
  }
  return Median(sends);
}

double Bench::RawWake() {
  Sleeper sleeper;
  std::vector<double> rings;
  for (int i = 0; i < 100; ++i) {
    uint64_t before = sleeper.sleeps();
    while (sleeper.sleeps() == before) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    Clock::time_point begin = Clock::now();
    sleeper.Ring();
    rings.push_back(Nanos(begin, Clock::now()));
  }
  return Median(rings);
}

double Bench::Poll() {
  constexpr int kPolls = 1000000;
  uint64_t seen = 0;
  Clock::time_point begin = Clock::now();
  for (int i = 0; i < kPolls; ++i) seen += engine_->Poll(room_).phase == RoomPhase::kOffered;
  double each = Nanos(begin, Clock::now()) / kPolls;
  CHECK_EQ(seen, uint64_t{kPolls});
  return each;
}

double Bench::OpenOnRing(bool awake) {
  std::vector<double> opens;
  for (uint64_t i = 0; i < 100; ++i) {
    if (awake) {
      agent_.Spin(true);
    } else {
      WaitUntilAsleep();
    }
    Clock::time_point begin = Clock::now();
    auto room = engine_->OpenSend({.room = {i}, .total_tokens = 1024});
    CHECK(room.ok()) << room.status();
    while (engine_->Poll(*room).phase == RoomPhase::kOpen) {
    }
    opens.push_back(Nanos(begin, Clock::now()));
    engine_->Close(*room);
  }
  agent_.Spin(false);
  return Median(opens);
}

double Bench::OpenOnGrpc() {
  std::vector<double> calls;
  for (int i = 0; i < 100; ++i) {
    grpc::ClientContext context;
    v1::AbortRoomRequest request;
    v1::AbortRoomResponse response;
    Clock::time_point begin = Clock::now();
    grpc::Status status = stub_->AbortRoom(&context, request, &response);
    calls.push_back(Nanos(begin, Clock::now()));
    CHECK_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
  }
  return Median(calls);
}

void Bench::Run() {
  while (engine_->Poll(room_).phase != RoomPhase::kOffered) std::this_thread::yield();
  struct Row {
    const char* what;
    double target_ns;  // 0: for comparison
    std::function<double()> measure;
    std::vector<double> rounds;
  };
  std::vector<Row> rows;
  rows.push_back({"submit, worker awake", 1000, [this] { return SubmitAwake(); }, {}});
  rows.push_back({"submit, worker asleep", 5000, [this] { return SubmitAsleep(); }, {}});
  rows.push_back({"  of it: raw eventfd wake-up", 0, [this] { return RawWake(); }, {}});
  rows.push_back({"poll of one room", 100, [this] { return Poll(); }, {}});
  rows.push_back({"open to answer, ring, awake", 0, [this] { return OpenOnRing(true); }, {}});
  rows.push_back({"open to answer, ring, asleep", 0, [this] { return OpenOnRing(false); }, {}});
  rows.push_back({"unary gRPC over a Unix socket", 0, [this] { return OpenOnGrpc(); }, {}});
  for (int round = 0; round < kRounds; ++round) {
    for (Row& row : rows) row.rounds.push_back(row.measure());
  }
  printf("%-32s %12s %12s %12s\n", "ns, median of 7 rounds", "median", "worst round", "target");
  for (Row& row : rows) {
    double worst = *std::max_element(row.rounds.begin(), row.rounds.end());
    double median = Median(row.rounds);
    printf("%-32s %12.0f %12.0f ", row.what, median, worst);
    if (row.target_ns == 0) {
      printf("%12s\n", "-");
    } else {
      printf("%12.0f  %s\n", row.target_ns, median <= row.target_ns ? "reached" : "MISSED");
    }
  }
}

}  // namespace
}  // namespace baton

int main(int, char** argv) {
#ifndef __OPTIMIZE__
  fprintf(stderr, "engine_bench: build with -c opt\n");
  return 2;
#endif
  baton::InitLog(argv[0]);
  baton::Bench().Run();
  return 0;
}
