// The commands of the probe engine: one line in, one line out. Thread-compatible.
#ifndef BATON_TESTS_E2E_FIELD_COMMANDS_H_
#define BATON_TESTS_E2E_FIELD_COMMANDS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/engine/engine_client.h"
#include "common/memfd.h"
#include "common/unique_fd.h"

namespace baton::field {

extern const char kHelp[];

// "verb name key=value ...": what a command says.
struct Words {
  std::string verb;
  std::string name;  // of a room; empty for verbs without
  std::map<std::string, std::string> values;

  std::string Text(const std::string& key, const std::string& otherwise) const;
  uint64_t Number(const std::string& key, uint64_t otherwise) const;
};
Words Split(absl::string_view line);

class Probe {
 public:
  std::string Run(const std::string& line);

 private:
  struct Room {
    RoomHandle handle;
    bool sends = false;
    uint64_t tokens = 0;
    std::vector<int32_t> pages;
  };

  absl::StatusOr<std::string> Do(const Words& words);
  absl::StatusOr<std::string> Attach(const Words& words);
  absl::StatusOr<std::string> Open(const Words& words);
  absl::StatusOr<std::string> OfRoom(const Words& words, Room* room);
  absl::StatusOr<std::string> Send(const Words& words, const Room& room);
  absl::StatusOr<std::string> Wait(const Words& words, const Room& room);
  absl::StatusOr<std::string> TamperDoorbell();
  std::string Show(const Room& room) const;
  absl::StatusOr<std::string> Memory(const Words& words);

  UniqueFd pool_;
  Mapping mapped_;
  std::vector<UniqueFd> extra_;  // of further regions, which nothing lies in
  std::unique_ptr<EngineClient> engine_;
  std::map<std::string, Room> rooms_;
};

}  // namespace baton::field

#endif  // BATON_TESTS_E2E_FIELD_COMMANDS_H_
