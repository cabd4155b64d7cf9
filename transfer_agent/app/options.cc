#include "transfer_agent/app/options.h"

#include <algorithm>
#include <optional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::agent {
namespace {

// "0600" to 0600; nullopt for what is no such number.
std::optional<uint32_t> ParseMode(absl::string_view text) {
  uint32_t mode = 0;
  if (text.size() < 3 || text.size() > 4) return std::nullopt;
  for (char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    mode = mode * 8 + static_cast<uint32_t>(c - '0');
  }
  if (mode > 0777) return std::nullopt;
  return mode;
}

std::string CheckSocketMode(absl::string_view text) {
  const std::optional<uint32_t> mode = ParseMode(text);
  if (!mode.has_value()) return "not permissions in octal, as 0600 or 0660";
  // Without these the agent's own user cannot connect to what it serves.
  return (*mode & 0600) == 0600 ? "" : "must let the agent's own user read and write";
}

std::string CheckAdvertise(absl::string_view text) {
  return text.empty() ? "" : CheckDialable(text);
}

// gRPC's own schemes (dns:///, ipv4:a,b) pass: it checks them.
std::string CheckBootstrap(absl::string_view text) {
  const bool scheme = absl::StrContains(text, "/") || absl::StrContains(text, ",");
  return scheme ? CheckHostPort(text) : CheckPeerAddress(text);
}

}  // namespace

uint32_t SocketMode(const Options& options) {
  return ParseMode(options.socket_mode).value_or(0600);
}

void AddRows(Options* o, ConfigTable* table) {
  table->Text("bootstrap", &o->bootstrap, "host:port", "Address of the bootstrap service.",
              CheckBootstrap);
  table->Text("listen", &o->listen, "host:port",
              "Address for other agents' control streams; port 0 takes a free one.", CheckHostPort);
  table->Text("advertise", &o->advertise, "host:port",
              "What other agents dial; empty: the address of --listen; port 0 takes its port.",
              CheckAdvertise);
  table->Text("attach_socket", &o->attach_socket, "path", "Unix socket on which engines attach.",
              CheckNotEmpty);
  table->Text("service_socket", &o->service_socket, "path",
              "Unix socket of the agent's own service (batonctl agent).", CheckNotEmpty);
  table->Text("socket_mode", &o->socket_mode, "octal",
              "Permissions of both sockets, whatever the umask is. 0600: processes of the agent's "
              "own user and root; 0660 with a group in common for engines of another user.",
              CheckSocketMode);
  table->Text("port_file", &o->port_file, "path",
              "File to write the control address to, once bound; empty: none.");
  table->Choice("transport", &o->transport, {"auto", "verbs", "tcp", "shm", "cuda"},
                "Path of the pages. auto: between agents of one host shm for host memory and cuda "
                "for a GPU's, verbs where both have a usable device, tcp elsewhere; the log and "
                "batonctl agent status say which was taken. verbs without a usable device and cuda "
                "without a driver and a GPU are errors.");
  table->Text("verbs_devices", &o->verbs_devices, "device[/port],...",
              "RDMA devices to use, and no others; empty: every one that works, nearest first.");
  table->Text("verbs_gid_index", &o->verbs_gid_index, "index",
              "GID to use on RoCE ports; empty: the best (v2 and routable first).");
  table->Text(
      "verbs_near", &o->verbs_near, "auto|none|numa:N|PCI address",
      "Where the ranks' memory is, as the GPU's address (0000:3b:00.0): the nearest devices "
      "are used first. auto: the NUMA node of the agent's processors, if it is one.");
  table->Number("verbs_rails", &o->verbs_rails, {1, 8}, "ports",
                "Device ports that a worker spreads its pages over.");
  table->Bool(
      "verbs_windows", &o->verbs_windows,
      "Give each channel of a decode rank keys of its own, by memory windows of type 2: they "
      "are good for that channel alone, and are taken back where a source answers no fence. "
      "A device without such windows is an error.");
  table->Number("cuda_blocks", &o->cuda_blocks, {1, 1024}, "multiprocessors",
                "How much of a GPU cuda may take from the engine's kernels while it moves pages; "
                "16 is an eighth of an H200.");
  table->Text("data_host", &o->data_host, "address",
              "Numeric address for tcp data connections; empty: the host of --listen.");
  table->Text("shm_folder", &o->shm_folder, "path",
              "Folder for shm sockets shared by the agents of a host; empty: the abstract "
              "namespace of the network namespace.");
  table->Number("workers", &o->workers, {0, 64}, "threads",
                "Threads that serve ranks; 0: one for each core, at most 8.");
  table->Number("spin_us", &o->spin_us, {0, 1000000}, "us",
                "How long an idle worker polls on before it sleeps.");
  table->Number("heartbeat_ms", &o->heartbeat_ms, {10, 60000}, "ms",
                "Period of heartbeats to other agents.");
  table->Number("silence_ms", &o->silence_ms, {50, 600000}, "ms",
                "Silence after which another agent counts as lost.");
  table->Number("drain_ms", &o->drain_ms, {0, 3600000}, "ms",
                "After SIGTERM: how long running rooms may take to end.");
  table->Number("ranks_max", &o->ranks_max, {1, 1024}, "ranks", "Engine ranks attached at once.");
  table->Number("held_offers", &o->held_offers, {2, 1 << 20}, "rooms",
                "Rooms that targets may offer to a worker before its engines have opened them. One "
                "target's agent may have as many as are still free: half of them, if it is alone.");
  table->Number("held_offer_bytes", &o->held_offer_bytes, {65536, uint64_t{1} << 40}, "bytes",
                "What those may take of a worker's memory, four bytes for each page and about two "
                "KiB for each room; shared in the same way.");
  table->Bool("checksums", &o->checksums,
              "Check a CRC32C of every segment at the target before it counts as landed.");
  admin::AddRows(&o->admin, table);
}

absl::Status Complete(Options* o) {
  if (o->bootstrap.empty()) {
    return Error(Reason::kConfig, "--bootstrap is missing: give the address of baton-bootstrap");
  }
  if (o->silence_ms < 2 * o->heartbeat_ms) {
    return Error(Reason::kConfig,
                 absl::StrCat("--silence_ms=", o->silence_ms,
                              " is below two heartbeats (--heartbeat_ms=", o->heartbeat_ms, ")"));
  }
  if (o->transport == "verbs" && o->checksums) {
    return Error(Reason::kConfig,
                 "--checksums with --transport=verbs: the target does not see the bytes pass; the "
                 "device's own check covers them");
  }
  if (o->transport == "cuda" && o->checksums) {
    return Error(Reason::kConfig,
                 "--checksums with --transport=cuda: a GPU moves the bytes, and the agent does not "
                 "see them");
  }
  int gid_index = 0;
  if (!o->verbs_gid_index.empty() &&
      (!absl::SimpleAtoi(o->verbs_gid_index, &gid_index) || gid_index < 0 || gid_index > 65535)) {
    return Error(Reason::kConfig,
                 absl::StrCat("--verbs_gid_index=", o->verbs_gid_index, " is no index"));
  }
  if (o->workers == 0) o->workers = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  if (o->data_host.empty()) o->data_host = o->listen.substr(0, o->listen.rfind(':'));
  return absl::OkStatus();
}

}  // namespace baton::agent
