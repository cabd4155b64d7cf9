#include "tests/e2e/field/commands.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/engine/testing/small_engine.h"
#include "common/clock.h"
#include "common/memfd.h"
#include "common/reason.h"

namespace baton::field {
namespace {

using attach::kSmallPageBytes;
using attach::kSmallPages;
using attach::kSmallPoolBytes;

constexpr uint64_t kPageTokens = 16;

const char* Name(RoomPhase phase) {
  constexpr const char* kNames[] = {"open", "offered", "done", "failed", "agent_lost", "closed"};
  return kNames[static_cast<int>(phase)];
}

std::string Said(const absl::Status& status) {
  return absl::StrCat("error ", ReasonName(ReasonOf(status)), ": ", status.message());
}

}  // namespace

const char kHelp[] = R"(Commands, a line each; what is not named has a default.
  attach socket= server= role=prefill|decode launch= model= dp=0 dp_size=1 slots=1024 label=k:v
         regions=1
  open-send ROOM id= nonce=1 tokens=64 ms=60000
  open-receive ROOM id= nonce=1 tokens=64 prefix=0 server=prefill-a dp=0 ms=60000 first_page=0
                  (dp=any: looked up by room)
  send ROOM begin=0 end=(all) last=1 first_page=0
  poll ROOM       says "ok PHASE released=0|1 bytes=N", and the cause of a failure
  wait ROOM phase=done ms=60000      until the phase, or any later one, is there
  abort ROOM | close ROOM
  fill value=     every byte of the pool
  check value= first_page=0 pages=(all)
  attached        whether the agent is there
  tamper-doorbell take O_NONBLOCK off the doorbell, and its count away, for as long as this lives
)";

std::string Words::Text(const std::string& key, const std::string& otherwise) const {
  auto it = values.find(key);
  return it == values.end() ? otherwise : it->second;
}

uint64_t Words::Number(const std::string& key, uint64_t otherwise) const {
  uint64_t number = otherwise;
  auto it = values.find(key);
  if (it != values.end() && !absl::SimpleAtoi(it->second, &number)) return otherwise;
  return number;
}

Words Split(absl::string_view line) {
  Words words;
  for (absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    const size_t equals = word.find('=');
    if (equals != absl::string_view::npos) {
      words.values[std::string(word.substr(0, equals))] = std::string(word.substr(equals + 1));
    } else {
      (words.verb.empty() ? words.verb : words.name) = std::string(word);
    }
  }
  return words;
}

std::string Probe::Run(const std::string& line) {
  auto answer = Do(Split(line));
  return answer.ok() ? absl::StrCat("ok", answer->empty() ? "" : " ", *answer)
                     : Said(answer.status());
}

absl::StatusOr<std::string> Probe::Do(const Words& words) {
  if (words.verb == "attach") return Attach(words);
  if (words.verb == "fill" || words.verb == "check") return Memory(words);
  if (engine_ == nullptr) return Error(Reason::kConfig, "attach first");
  if (words.verb == "tamper-doorbell") return TamperDoorbell();
  if (words.verb == "attached") return std::string(engine_->attached() ? "yes" : "no");
  if (words.verb == "open-send" || words.verb == "open-receive") return Open(words);
  auto it = rooms_.find(words.name);
  if (it == rooms_.end()) return Error(Reason::kConfig, absl::StrCat("no room ", words.name));
  return OfRoom(words, &it->second);
}

absl::StatusOr<std::string> Probe::Attach(const Words& words) {
  engine_.reset();
  if (!mapped_) {
    auto pool = CreateSealedMemfd("probe", kSmallPoolBytes);
    if (!pool.ok()) return pool.status();
    pool_ = *std::move(pool);
    auto mapped = MapShared(pool_.get(), kSmallPoolBytes, Access::kReadWrite);
    if (!mapped.ok()) return mapped.status();
    mapped_ = *std::move(mapped);
  }
  const Role role = words.Text("role", "prefill") == "prefill" ? Role::kPrefill : Role::kDecode;
  EngineOptions options = SmallEngine(words.Text("socket", ""), role, pool_.get());
  options.server = words.Text("server", options.server);
  options.launch_id = words.Text("launch", options.launch_id);
  options.model = words.Text("model", options.model);
  options.coord.dp = static_cast<uint32_t>(words.Number("dp", 0));
  options.spec.sizes.dp = static_cast<uint32_t>(words.Number("dp_size", 1));
  options.slots = static_cast<uint32_t>(words.Number("slots", options.slots));
  const std::pair<std::string, std::string> label =
      absl::StrSplit(words.Text("label", ""), absl::MaxSplits(':', 1));
  if (!label.first.empty()) options.labels.insert(label);
  extra_.clear();
  for (uint64_t i = 1; i < words.Number("regions", 1); ++i) {
    auto pool = CreateSealedMemfd("probe", 4096);
    if (!pool.ok()) return pool.status();
    options.regions.push_back({absl::StrCat("extra", i), pool->get(), 4096, false});
    extra_.push_back(*std::move(pool));
  }
  options.attach_timeout = std::chrono::milliseconds(words.Number("ms", 10000));
  auto engine = EngineClient::Attach(std::move(options));
  if (!engine.ok()) return engine.status();
  engine_ = *std::move(engine);
  return std::string();
}

absl::StatusOr<std::string> Probe::Open(const Words& words) {
  if (rooms_.count(words.name) > 0) return Error(Reason::kConfig, "the name is in use: close it");
  Room room;
  room.sends = words.verb == "open-send";
  room.tokens = words.Number("tokens", 64);
  const RoomKey key{words.Number("id", 0), words.Number("nonce", 1)};
  const std::chrono::milliseconds left(words.Number("ms", 60000));
  absl::StatusOr<RoomHandle> opened;
  if (room.sends) {
    opened = engine_->OpenSend({key, room.tokens, left});
  } else {
    const uint64_t prefix = words.Number("prefix", 0);
    const int32_t first = static_cast<int32_t>(words.Number("first_page", 0));
    const uint64_t count =
        (room.tokens - std::min(prefix, room.tokens) + kPageTokens - 1) / kPageTokens;
    for (uint64_t i = 0; i < count; ++i) room.pages.push_back(first + static_cast<int32_t>(i));
    ReceiveRoom asked;
    asked.room = key;
    asked.prefill_server = words.Text("server", "prefill-a");
    if (words.Text("dp", "0") != "any") {
      asked.prefill_dp = static_cast<uint32_t>(words.Number("dp", 0));
    }
    asked.total_tokens = room.tokens;
    asked.prefix_tokens = prefix;
    asked.pages = {room.pages};
    asked.time_left = left;
    opened = engine_->OpenReceive(asked);
  }
  if (!opened.ok()) return opened.status();
  room.handle = *opened;
  rooms_[words.name] = std::move(room);
  return std::string();
}

absl::StatusOr<std::string> Probe::OfRoom(const Words& words, Room* room) {
  if (words.verb == "send") return Send(words, *room);
  if (words.verb == "poll") return Show(*room);
  if (words.verb == "wait") return Wait(words, *room);
  if (words.verb == "abort") {
    absl::Status status = engine_->Abort(room->handle, words.Text("why", "told so"));
    if (!status.ok()) return status;
    return std::string();
  }
  if (words.verb == "close") {
    engine_->Close(room->handle);
    rooms_.erase(words.name);
    return std::string();
  }
  return Error(Reason::kConfig, absl::StrCat("unknown command: ", words.verb));
}

absl::StatusOr<std::string> Probe::Send(const Words& words, const Room& room) {
  Chunk chunk;
  chunk.token_begin = words.Number("begin", 0);
  chunk.token_end = words.Number("end", room.tokens);
  chunk.is_last_chunk = words.Number("last", 1) != 0;
  const uint64_t first = words.Number("first_page", chunk.token_begin / kPageTokens);
  const uint64_t ends = (chunk.token_end + kPageTokens - 1) / kPageTokens;
  std::vector<int32_t> pages;
  for (uint64_t i = chunk.token_begin / kPageTokens; i < ends; ++i) {
    pages.push_back(static_cast<int32_t>(first + pages.size()));
  }
  chunk.pages = {pages};
  absl::Status status = engine_->Send(room.handle, chunk);
  if (!status.ok()) return status;
  return std::string();
}

absl::StatusOr<std::string> Probe::Wait(const Words& words, const Room& room) {
  const std::string wanted = words.Text("phase", "done");
  const TimePoint ends = Monotonic::now() + std::chrono::milliseconds(words.Number("ms", 60000));
  do {
    const RoomStatus status = engine_->Poll(room.handle);
    if (Name(status.phase) == wanted || IsTerminal(status)) return Show(room);
    absl::SleepFor(absl::Milliseconds(1));
  } while (Monotonic::now() < ends);
  return Error(Reason::kDeadline, absl::StrCat("still ", Show(room)));
}

// The doorbell is whatever eventfd this process has: the client makes no other.
absl::StatusOr<std::string> Probe::TamperDoorbell() {
  uint32_t found = 0;
  for (int fd = 3; fd < 1024; ++fd) {
    char name[64] = {};
    const std::string link = absl::StrCat("/proc/self/fd/", fd);
    if (readlink(link.c_str(), name, sizeof(name) - 1) <= 0) continue;
    if (absl::string_view(name) != "anon_inode:[eventfd]") continue;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    ++found;
    std::thread([fd] {
      eventfd_t count = 0;
      while (eventfd_read(fd, &count) == 0) {
      }
    }).detach();
  }
  return absl::StrCat("doorbells=", found);
}

std::string Probe::Show(const Room& room) const {
  const RoomStatus status = engine_->Poll(room.handle);
  std::string text = absl::StrCat(Name(status.phase), " released=", status.released ? 1 : 0,
                                  " bytes=", engine_->BytesMoved(room.handle));
  const absl::Status cause = engine_->Cause(room.handle);
  if (!cause.ok()) absl::StrAppend(&text, " ", ReasonName(ReasonOf(cause)), ": ", cause.message());
  return text;
}

absl::StatusOr<std::string> Probe::Memory(const Words& words) {
  if (!mapped_) return Error(Reason::kConfig, "attach first");
  auto* bytes = reinterpret_cast<uint8_t*>(mapped_.base());
  const uint8_t value = static_cast<uint8_t>(words.Number("value", 0));
  if (words.verb == "fill") {
    std::fill(bytes, bytes + kSmallPoolBytes, value);
    return std::string();
  }
  const uint64_t first = std::min<uint64_t>(words.Number("first_page", 0), kSmallPages);
  const uint64_t count =
      std::min<uint64_t>(words.Number("pages", kSmallPages), kSmallPages - first);
  uint64_t wrong = 0;
  for (uint64_t half = 0; half < 2; ++half) {
    const uint8_t* at = bytes + (half * kSmallPages + first) * kSmallPageBytes;
    wrong += std::count_if(at, at + count * kSmallPageBytes, [&](uint8_t b) { return b != value; });
  }
  return absl::StrCat("differing=", wrong);
}

}  // namespace baton::field
