#include "transfer_agent/app/transports.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"
#include "transfer_agent/app/nearness.h"
#include "transfer_agent/transport/cuda/factory.h"
#include "transfer_agent/transport/shm/factory.h"
#include "transfer_agent/transport/tcp/factory.h"
#include "transfer_agent/transport/verbs/factory.h"

namespace baton::agent {
namespace {

v1::TransportStatus StatusOf(absl::string_view name, bool on, absl::string_view summary) {
  v1::TransportStatus status;
  status.set_name(std::string(name));
  status.set_on(on);
  status.set_summary(std::string(summary));
  return status;
}

absl::Status AddShm(const Options& options, MadeTransports* made) {
  transport::ShmOptions shm;
  shm.socket_folder = options.shm_folder;
  shm.checksums = options.checksums;
  auto transport = transport::CreateShmTransport(shm);
  if (!transport.ok()) return transport.status();
  made->transports.push_back(*std::move(transport));
  made->status.push_back(StatusOf("shm", true,
                                  options.shm_folder.empty()
                                      ? "abstract sockets of this network namespace"
                                      : absl::StrCat("sockets in ", options.shm_folder)));
  return absl::OkStatus();
}

absl::Status AddCuda(const Options& options, MadeTransports* made) {
  transport::CudaOptions cuda;
  cuda.socket_folder = options.shm_folder;
  cuda.blocks = options.cuda_blocks;
  std::string summary;
  auto transport = transport::CreateCudaTransport(cuda, &summary);
  if (!transport.ok()) return transport.status();
  made->transports.push_back(*std::move(transport));
  made->status.push_back(
      StatusOf("cuda", true, absl::StrCat(summary, ", at most ", options.cuda_blocks, " blocks")));
  return absl::OkStatus();
}

absl::Status AddVerbs(const Options& options, MadeTransports* made) {
  transport::verbs::VerbsOptions verbs;
  verbs.wishes.devices = absl::StrSplit(options.verbs_devices, ',', absl::SkipEmpty());
  verbs.wishes.rails_max = options.verbs_rails;
  verbs.memory_windows = options.verbs_windows;
  if (!absl::SimpleAtoi(options.verbs_gid_index, &verbs.wishes.gid_index)) {
    verbs.wishes.gid_index = -1;
  }
  auto near = FindNearness(options.verbs_near, "/sys", AllowedCpus());
  if (!near.ok()) return near.status();
  verbs.wishes.near_pci_path = near->pci_path;
  verbs.wishes.near_numa_node = near->numa_node;
  transport::VerbsChoice choice;
  auto transport = transport::CreateVerbsTransport(verbs, &choice);
  if (!transport.ok()) return transport.status();
  made->transports.push_back(*std::move(transport));
  made->ports = std::move(choice.ports);
  v1::TransportStatus& status = made->status.emplace_back(StatusOf("verbs", true, choice.summary));
  for (std::string& candidate : choice.candidates) status.add_candidates(std::move(candidate));
  return absl::OkStatus();
}

absl::Status AddTcp(const Options& options, MadeTransports* made) {
  transport::TcpOptions tcp;
  tcp.bind_host = options.data_host;
  tcp.checksums = options.checksums;
  auto transport = transport::CreateTcpTransport(tcp);
  if (!transport.ok()) return transport.status();
  made->transports.push_back(*std::move(transport));
  made->status.push_back(StatusOf("tcp", true, absl::StrCat("bound to ", options.data_host)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MadeTransports> MakeTransports(const Options& options) {
  MadeTransports made;
  const bool choose = options.transport == "auto";
  absl::Status status;
  if (choose || options.transport == "shm") status = AddShm(options, &made);
  if (status.ok() && (choose || options.transport == "cuda")) {
    status = choose && options.checksums
                 ? absl::FailedPreconditionError("--checksums asks for paths that can check")
                 : AddCuda(options, &made);
    if (choose && !status.ok()) {
      made.status.push_back(StatusOf("cuda", false, status.message()));
      status = absl::OkStatus();
    }
  }
  if (status.ok() && (choose || options.transport == "verbs")) {
    status = choose && options.checksums
                 ? absl::FailedPreconditionError("--checksums asks for paths that can check")
                 : AddVerbs(options, &made);
    // What was asked for by name is not left out quietly.
    const bool asked = options.verbs_windows || ReasonOf(status) == Reason::kConfig;
    if (choose && !status.ok() && !asked) {
      made.status.push_back(StatusOf("verbs", false, status.message()));
      status = absl::OkStatus();
    }
  }
  if (status.ok() && (choose || options.transport == "tcp")) status = AddTcp(options, &made);
  if (!status.ok()) return status;
  return made;
}

}  // namespace baton::agent
