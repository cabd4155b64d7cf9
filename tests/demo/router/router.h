// A small router: takes requests as they arrive, has both legs of each picked, sends
// them to the engines, and collects what the ranks report.
#ifndef BATON_TESTS_DEMO_ROUTER_ROUTER_H_
#define BATON_TESTS_DEMO_ROUTER_ROUTER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/demo/router/room_draw.h"
#include "tests/demo/router/tally.h"
#include "tests/demo/workload/arrivals.h"

namespace baton::demo {

// One engine process.
struct EngineLink {
  std::string name;
  std::string server;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  int fd = -1;  // borrowed
  std::vector<RankCoord> ranks;
};

// Where a room goes, and its name.
struct PickedRoute {
  RoomKey room;
  std::string prefill;
  uint32_t prefill_dp = 0;
  std::string decode;
  uint32_t decode_dp = 0;
};

struct RunOptions {
  RoomDrawOptions draw;
  std::chrono::milliseconds duration{4000};  // rooms are opened for this long
  uint64_t rooms_max = UINT64_MAX;           // and no more than this many
  uint64_t rooms_in_flight_max = 8;
  uint64_t tokens_in_flight_max = 4096;
  std::chrono::milliseconds drain{40000};  // for the rooms that are open then
};

struct Progress {
  double seconds = 0;
  uint64_t in_flight = 0;
  double gigabytes_per_second = 0;  // since the line before
  const RunResult* so_far = nullptr;
};

class Router {
 public:
  // Called about once a second.
  using OnProgress = std::function<void(const Progress&)>;
  // Called often; an error ends the run.
  using Guard = std::function<absl::Status()>;

  using Pick = std::function<absl::StatusOr<PickedRoute>()>;

  Router(Pick pick, std::vector<EngineLink> links, Arrivals arrivals, RunOptions options,
         OnProgress on_progress, Guard guard);

  // Blocks until all is done or given up. What went wrong is in the result.
  RunResult Run();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void OpenRooms(Time now);
  void OpenRoom(const PickedRoute& route);
  bool MayOpen(Time now) const;
  // Waits a little, then takes in what the engines say.
  absl::Status TakeReports();
  absl::Status TakeFrom(const EngineLink& link);
  // To all engines of the server.
  void Send(const std::string& server, const v1::ToEngine& message);
  void CollectFinalReports();
  void ShowProgress(Time now);
  // Ranks that take part, each of which reports.
  uint32_t RanksOf(const std::string& server, uint32_t dp) const;

  const Pick pick_;
  const std::vector<EngineLink> links_;
  Arrivals arrivals_;
  const RunOptions options_;
  const OnProgress on_progress_;
  const Guard guard_;
  RoomDraw draw_;
  Tally tally_;
  Time start_;
  Time shown_;
  uint64_t bytes_shown_ = 0;
  Arrival next_;
  uint64_t opened_ = 0;
  uint32_t final_reports_ = 0;
  absl::Status broken_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ROUTER_ROUTER_H_
