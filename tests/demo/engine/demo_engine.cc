// An engine process of the demo: some ranks of one server, attached to one agent. It speaks with
// the router over the socket it inherits, and with Baton through libbaton alone.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/config/config.h"
#include "common/log.h"
#include "demo/v1/demo.pb.h"
#include "tests/demo/engine/rank_loop.h"
#include "tests/demo/link/packet.h"

namespace baton::demo {
namespace {

struct Ranks {
  std::vector<std::unique_ptr<RankLoop>> loops;
  std::vector<std::thread> threads;

  void Start(const v1::Configure& configure, int control_fd) {
    for (const v1::Rank& rank : configure.ranks()) {
      RankCoord coord{rank.dp(), rank.pp(), rank.cp(), rank.tp()};
      loops.push_back(
          std::make_unique<RankLoop>(configure, coord, [control_fd](const v1::FromEngine& message) {
            absl::Status sent = SendPacket(control_fd, message);
            if (!sent.ok()) LOG(ERROR) << "report is lost: " << sent;
          }));
      threads.emplace_back(&RankLoop::Run, loops.back().get());
    }
  }

  ~Ranks() {
    for (auto& loop : loops) loop->Stop();
    for (std::thread& thread : threads) thread.join();
  }
};

int Serve(int control_fd) {
  Ranks ranks;
  while (true) {
    v1::ToEngine message;
    absl::StatusOr<Received> received = ReceivePacket(control_fd, true, &message);
    if (!received.ok()) {
      LOG(ERROR) << "from the router: " << received.status();
      return 1;
    }
    if (*received == Received::kClosed) return 0;
    switch (message.body_case()) {
      case v1::ToEngine::kConfigure:
        ranks.Start(message.configure(), control_fd);
        break;
      case v1::ToEngine::kOpen:
        for (auto& loop : ranks.loops) {
          if (loop->coord().dp == message.open().dp()) loop->Open(message.open());
        }
        break;
      case v1::ToEngine::kFinish:
        for (auto& loop : ranks.loops) loop->Finish();
        break;
      case v1::ToEngine::BODY_NOT_SET:
        break;
    }
  }
}

}  // namespace
}  // namespace baton::demo

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  uint32_t control_fd = 3;
  std::string name;
  baton::ConfigTable table("demo_engine", "Ranks of a server of Baton's demo; demo starts it.");
  table.Number("control_fd", &control_fd, {3, 1023}, "", "Socket to the router, inherited.");
  table.Text("name", &name, "", "Shown by ps.");
  table.ParseOrExit(argc, argv);
  return baton::demo::Serve(static_cast<int>(control_fd));
}
