// batonctl bench serve
#include <string>

#include "absl/strings/str_cat.h"
#include "client/ctl/bench/bench.h"
#include "client/ctl/commands.h"
#include "client/ctl/verbs_rows.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  options->listen = "127.0.0.1:7500";
  table->Text("listen", &options->listen, "host:port",
              "Address for the other bench; port 0 takes a free one.", CheckHostPort);
  table->Bool("once", &options->once, "End after one bench.");
  AddVerbsRows(options, table);
}

absl::Status Run(const Invocation& call) {
  auto wishes = WishesOf(call.options);
  if (!wishes.ok()) return wishes.status();
  std::string bound;
  auto listener = ListenAt(call.options.listen, &bound);
  if (!listener.ok()) return listener.status();
  call.printer->ShowText(absl::StrCat("serving benches on ", bound, "\n"));
  while (true) {
    auto socket = AcceptOne(listener->get());
    if (!socket.ok()) return socket.status();
    absl::Status served = ServeBench(*std::move(socket), *wishes);
    if (call.options.once) return served;
    call.printer->ShowText(
        absl::StrCat(served.ok() ? "done" : std::string(served.message()), "\n"));
  }
}

}  // namespace

const Command kBenchServe = {
    "bench serve",
    "",
    "The other end of a bench, for --peer of bench write and bench latency.",
    R"(One bench at a time, until interrupted. Whoever can reach the port can make it take 4 GiB of
memory: leave it open for as long as you measure.

  batonctl bench serve --listen=0.0.0.0:7500)",
    0,
    0,
    AddRows,
    Run,
};

}  // namespace baton::ctl
