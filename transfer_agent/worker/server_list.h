// The servers that the registry lists, found by their name or by an alias.
#ifndef BATON_TRANSFER_AGENT_WORKER_SERVER_LIST_H_
#define BATON_TRANSFER_AGENT_WORKER_SERVER_LIST_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton::worker {

// Where a server's ranks are, from the registry. The announcements of these agents decide, and of
// no others.
struct ServerView {
  std::string name;
  Incarnation incarnation;
  Role role = Role::kPrefill;
  bool draining = false;
  planner::ServerSpec spec;
  std::map<RankCoord, std::string> addresses;
  std::vector<std::string> aliases = {};
  // Empty where nothing is said of it, which fits everything.
  std::string model = {};
  std::string revision = {};  // label "revision"
  // Of the agents at `addresses`. A rank without one: any start will do.
  std::map<RankCoord, Epoch> epochs = {};
};

// Where the registry has, or last had, a rank's agent.
struct RankPlace {
  std::string address;
  std::optional<Epoch> epoch;  // none: any start will do
};

// Thread-compatible.
class ServerList {
 public:
  using ViewPtr = std::shared_ptr<const ServerView>;

  // Replaces what was known of it, but for the places of ranks that lost their leases since.
  void Put(ViewPtr view) {
    Places places = PlacesAfter(*view);
    Remove(view->name);
    places_[view->name] = std::move(places);
    // The registry gives an alias to one server at a time; of two updates the later one stands.
    for (const std::string& alias : view->aliases) names_[alias] = view->name;
    const std::string name = view->name;
    views_[name] = std::move(view);
  }
  void Remove(const std::string& name) {
    auto it = views_.find(name);
    if (it == views_.end()) return;
    std::erase_if(names_, [&](const auto& alias) { return alias.second == name; });
    views_.erase(it);
    places_.erase(name);
  }

  // Null when unknown. A server's own name goes before another's alias.
  ViewPtr Find(const std::string& name_or_alias) const {
    auto it = views_.find(name_or_alias);
    if (it != views_.end()) return it->second;
    auto name = names_.find(name_or_alias);
    if (name == names_.end()) return nullptr;
    it = views_.find(name->second);
    return it == views_.end() ? nullptr : it->second;
  }
  // Null: within the server's incarnation the registry has never said where the rank is.
  const RankPlace* FindPlace(const std::string& server, const RankCoord& rank) const {
    const auto places = places_.find(server);
    if (places == places_.end()) return nullptr;
    const auto place = places->second.find(rank);
    return place == places->second.end() ? nullptr : &place->second;
  }

 private:
  using Places = std::map<RankCoord, RankPlace>;

  Places PlacesAfter(const ServerView& view) const {
    Places places;
    const auto before = views_.find(view.name);
    if (before != views_.end() && before->second->incarnation == view.incarnation) {
      places = places_.at(view.name);
    }
    for (const auto& [rank, address] : view.addresses) {
      const auto epoch = view.epochs.find(rank);
      places[rank] = {
          address, epoch == view.epochs.end() ? std::nullopt : std::optional<Epoch>(epoch->second)};
    }
    return places;
  }

  std::map<std::string, ViewPtr> views_;
  std::map<std::string, Places> places_;      // by server, as views_
  std::map<std::string, std::string> names_;  // by alias
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_SERVER_LIST_H_
