// Other names of servers: each belongs to one server at a time.
#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/limits.h"
#include "bootstrap_service/registry/registry.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::registry {

const Server* Registry::Resolve(absl::string_view name) const {
  if (const Server* server = Find(name)) return server;
  auto alias = aliases_.find(name);
  return alias == aliases_.end() ? nullptr : alias->second;
}

// A server that has been without a live rank for a lease time is taken for dead, though it is
// remembered for longer: what replaces it under another name need not wait.
bool Registry::HoldsAliases(const Server& server, const Now& now) const {
  return !server.live.empty() || now.time < server.empty_since + limits_.lease;
}

absl::Status Registry::CheckNames(const std::string& name, const AliasList& aliases,
                                  const Now& now) const {
  auto held = [&](absl::string_view what, const std::string& wanted, const Server& holder) {
    return Error(Reason::kAliasHeld, absl::StrCat("server ", name, ": ", what, " ", wanted,
                                                  " belongs to server ", *holder.name));
  };
  if (auto it = aliases_.find(name); it != aliases_.end() && HoldsAliases(*it->second, now)) {
    return held("the name", name, *it->second);
  }
  const Server* server = Find(name);
  size_t count = server == nullptr ? 0 : server->aliases.size();
  for (const std::string& alias : aliases) {
    const Server* named = Find(alias);
    if (named != nullptr && named != server) return held("alias", alias, *named);
    auto it = aliases_.find(alias);
    const bool others = it != aliases_.end() && it->second != server;
    if (others && HoldsAliases(*it->second, now)) return held("alias", alias, *it->second);
    count += server == nullptr || !server->aliases.contains(alias);
  }
  if (count <= kAliasesMax) return absl::OkStatus();
  return Error(Reason::kTooLarge, absl::StrCat("aliases: server ", name, " would have ", count,
                                               ", at most ", kAliasesMax, " are allowed"));
}

void Registry::DropAlias(const std::string& alias) {
  auto it = aliases_.find(alias);
  if (it == aliases_.end()) return;
  Server* holder = it->second;
  aliases_.erase(it);
  holder->aliases.erase(alias);
  LOG(INFO) << "server " << *holder->name << " loses its alias " << alias
            << ": none of its ranks is alive";
  NoteChange(holder, ChangeKind::kWhole);
}

void Registry::TakeAliases(Server* server, const AliasList& aliases) {
  DropAlias(*server->name);
  bool any = false;
  for (const std::string& alias : aliases) {
    if (alias == *server->name || server->aliases.contains(alias)) continue;
    DropAlias(alias);
    aliases_[alias] = server;
    server->aliases.insert(alias);
    any = true;
  }
  if (any) NoteChange(server, ChangeKind::kWhole);
}

}  // namespace baton::registry
