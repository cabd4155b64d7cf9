// Baton's side of `make bench-rdma`: one hand-off over verbs, in a guest of the RDMA bed.
//
//   verbs_write --page=65536 --order=scattered --mib=256 --queue_pairs=1 --depth=128
//
// Prints "baton MIB_PER_SECOND NS_OF_CPU_PER_BYTE".
#include <cstdio>
#include <string>

#include "bench/rdma/write_run.h"
#include "common/config/config.h"
#include "common/log.h"
#include "transfer_agent/transport/tcp/factory.h"
#include "transfer_agent/transport/verbs/factory.h"

namespace baton::bench {
namespace {

struct Options {
  uint64_t page = 65536;
  uint64_t mib = 256;
  uint64_t pool_mib = 16;
  uint64_t queue_pairs = 1;
  uint64_t depth = 128;
  std::string order = "scattered";
  std::string device = "rxe0";
  // tcp only to try the program without a device.
  std::string transport = "verbs";
};

Options Parse(int argc, char** argv) {
  Options options;
  ConfigTable table("verbs_write", "One measured hand-off over verbs.");
  table.Number("page", &options.page, {4096, 1 << 20}, "bytes", "Size of a page.");
  table.Number("mib", &options.mib, {16, 1 << 20}, "MiB", "Bytes of the hand-off.");
  table.Number("pool_mib", &options.pool_mib, {1, 1024}, "MiB", "Of each side.");
  table.Number("queue_pairs", &options.queue_pairs, {1, 16}, "", "Of the one rail.");
  table.Number("depth", &options.depth, {16, 4096}, "", "Of each send queue.");
  table.Choice("order", &options.order, {"scattered", "contiguous"}, "Of the target's pages.");
  table.Text("device", &options.device, "name", "The one rail.");
  table.Choice("transport", &options.transport, {"verbs", "tcp"}, "What is measured.");
  table.ParseOrExit(argc, argv);
  return options;
}

std::unique_ptr<transport::Transport> Create(const Options& options) {
  transport::verbs::VerbsOptions verbs;
  verbs.wishes.devices = {options.device};
  verbs.send_queue = options.depth;
  verbs.queue_pairs_per_rail = options.queue_pairs;
  auto made = options.transport == "tcp" ? transport::CreateTcpTransport({})
                                         : transport::CreateVerbsTransport(verbs);
  CHECK(made.ok()) << made.status();
  return *std::move(made);
}

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  const Order order = options.order == "scattered" ? Order::kScattered : Order::kContiguous;
  const WriteResult result = RunWrite(
      [&] { return Create(options); },
      {static_cast<uint32_t>(options.page), order, options.mib << 20, options.pool_mib << 20});
  std::printf("baton %.2f %.4f\n", result.bytes_per_second / (1 << 20), result.cpu_ns_per_byte);
  return 0;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  return baton::bench::Main(argc, argv);
}
