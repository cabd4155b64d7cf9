#include "client/engine/pod_identity.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"

namespace baton {
namespace {

constexpr char kDefaultSocket[] = "/run/baton/attach.sock";
// Field 22 of the stat file, the start in clock ticks since boot; behind the name, which is in
// parentheses and may hold anything, it is the twentieth.
constexpr size_t kStartAfterName = 20;

std::string Text(const ReadVariable& getenv, const char* name, absl::string_view fallback) {
  const char* value = getenv(name);
  return value == nullptr || *value == '\0' ? std::string(fallback) : value;
}

absl::Status Number(const ReadVariable& getenv, const char* name, uint32_t* value) {
  const std::string text = Text(getenv, name, "");
  if (text.empty() || absl::SimpleAtoi(text, value)) return absl::OkStatus();
  return Error(Reason::kConfig, absl::StrCat(name, "=", text, " is no number"));
}

absl::StatusOr<std::string> StartOf(const std::string& stat_file) {
  std::ifstream file(stat_file);
  std::stringstream text;
  text << file.rdbuf();
  const std::string line = text.str();
  const size_t name_end = line.rfind(')');
  std::vector<std::string> fields;
  if (name_end != std::string::npos) {
    fields = absl::StrSplit(line.substr(name_end + 1), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  }
  if (fields.size() < kStartAfterName) {
    return Error(Reason::kConfig, absl::StrCat(stat_file, " does not tell when the container ",
                                               "started: give BATON_LAUNCH_ID"));
  }
  return fields[kStartAfterName - 1];
}

absl::StatusOr<std::string> LaunchId(const ReadVariable& getenv, const std::string& process_one) {
  std::string given = Text(getenv, "BATON_LAUNCH_ID", "");
  if (!given.empty()) return given;
  const std::string uid = Text(getenv, "POD_UID", "");
  if (uid.empty()) {
    return Error(Reason::kConfig,
                 "neither BATON_LAUNCH_ID nor POD_UID is set: let the pod set POD_UID from "
                 "metadata.uid");
  }
  auto start = StartOf(process_one);
  if (!start.ok()) return start.status();
  return absl::StrCat(uid, "/", *start);
}

}  // namespace

absl::StatusOr<PodIdentity> ReadPodIdentity() {
  return ReadPodIdentity([](const char* name) { return std::getenv(name); }, "/proc/1/stat");
}

absl::StatusOr<PodIdentity> ReadPodIdentity(const ReadVariable& getenv,
                                            const std::string& process_one) {
  PodIdentity pod;
  pod.agent_socket = Text(getenv, "BATON_ATTACH_SOCKET", kDefaultSocket);
  pod.server = Text(getenv, "BATON_SERVER", "");
  if (pod.server.empty()) {
    return Error(Reason::kConfig, "BATON_SERVER is not set: give the server's name");
  }
  absl::Status status = Number(getenv, "LWS_WORKER_INDEX", &pod.index);
  if (status.ok()) status = Number(getenv, "LWS_GROUP_SIZE", &pod.pods);
  if (!status.ok()) return status;
  if (pod.index >= pod.pods) {
    return Error(Reason::kConfig, absl::StrCat("LWS_WORKER_INDEX=", pod.index,
                                               " is not below LWS_GROUP_SIZE=", pod.pods));
  }
  auto launch_id = LaunchId(getenv, process_one);
  if (!launch_id.ok()) return launch_id.status();
  pod.launch_id = *std::move(launch_id);
  return pod;
}

absl::StatusOr<RankCoord> CoordOfRank(uint32_t rank, const RankCoord& sizes) {
  const uint64_t count = uint64_t{sizes.dp} * sizes.pp * sizes.cp * sizes.tp;
  if (rank >= count) {
    return Error(Reason::kBadCoord,
                 absl::StrCat("rank ", rank, " of a server that has ", count, " ranks"));
  }
  RankCoord coord;
  coord.tp = rank % sizes.tp;
  rank /= sizes.tp;
  coord.cp = rank % sizes.cp;
  rank /= sizes.cp;
  coord.pp = rank % sizes.pp;
  coord.dp = rank / sizes.pp;
  return coord;
}

}  // namespace baton
