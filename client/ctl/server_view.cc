#include "client/ctl/server_view.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/ctl/names.h"

namespace baton::ctl {
namespace {

Section Facts(const v1::ServerRecord& server) {
  Section section{"server", {{"FIELD", "VALUE"}, {}}, ""};
  auto add = [&section](absl::string_view field, std::string value) {
    section.table.rows.push_back({std::string(field), std::move(value)});
  };
  add("name", server.name());
  if (server.aliases_size() > 0) add("aliases", absl::StrJoin(server.aliases(), ", "));
  add("role", ShowRole(server.role()));
  add("model", server.model());
  add("state", ShowState(server.state()));
  add("incarnation", absl::StrCat(server.incarnation()));
  add("sizes", ShowSizes(server.spec().sizes()));
  add("cp sharding", ShowCpSharding(server.spec().cp_sharding()));
  add("ranks", ShowFilled(server));
  add("rooms", absl::StrCat(server.load().rooms()));
  add("rate", ShowRate(server.load().bytes_per_second()));
  add("modified", absl::StrCat(server.modified().store_epoch(), ".", server.modified().number()));
  for (const auto& [key, value] : server.labels()) add(absl::StrCat("label ", key), value);
  return section;
}

Section Ranks(const v1::ServerRecord& server) {
  Section section{"ranks", {{"RANK", "AGENT", "EPOCH"}, {}}, "no rank is registered"};
  for (const v1::RankRecord& rank : server.ranks()) {
    section.table.rows.push_back(
        {ShowCoord(rank.coord()), rank.agent_address(), absl::StrCat(rank.epoch())});
  }
  return section;
}

Section Missing(const v1::ServerRecord& server) {
  Section section{absl::StrCat("missing (", server.missing_count(), ")"), {{"RANK"}, {}}, ""};
  for (const v1::RankCoord& coord : server.missing()) {
    section.table.rows.push_back({ShowCoord(coord)});
  }
  const uint32_t unlisted = server.missing_count() - server.missing_size();
  if (unlisted > 0) section.table.rows.push_back({absl::StrCat("and ", unlisted, " more")});
  return section;
}

Section Tensors(const v1::ServerRecord& server) {
  Section section{
      "tensors", {{"KIND", "NAME", "LAYERS", "DTYPE", "HEADS", "HEAD BYTES", "PAGE"}, {}}, "none"};
  for (const v1::TensorSpec& tensor : server.spec().tensors()) {
    const bool paged = tensor.kind() != v1::KIND_STATE && tensor.kind() != v1::KIND_AUX &&
                       static_cast<int>(tensor.page_group()) < server.spec().page_groups_size();
    section.table.rows.push_back(
        {ShowKind(tensor.kind()), tensor.name().empty() ? "-" : tensor.name(),
         absl::StrCat(tensor.layers_size()), tensor.dtype(), absl::StrCat(tensor.heads()),
         absl::StrCat(tensor.head_bytes()),
         paged
             ? absl::StrCat(server.spec().page_groups(tensor.page_group()).page_tokens(), " tokens")
             : "row"});
  }
  return section;
}

}  // namespace

std::string ShowSizes(const v1::RankCoord& sizes) {
  return absl::StrCat("dp", sizes.dp(), " pp", sizes.pp(), " cp", sizes.cp(), " tp", sizes.tp());
}

std::string ShowFilled(const v1::ServerRecord& server) {
  const v1::RankCoord& sizes = server.spec().sizes();
  const uint64_t slots = uint64_t{sizes.dp()} * sizes.pp() * sizes.cp() * sizes.tp();
  return absl::StrCat(server.ranks_size(), "/", slots);
}

std::vector<std::string> ServerColumns() {
  return {"NAME", "ROLE", "STATE", "RANKS", "SIZES", "MODEL", "ROOMS", "RATE", "INCARNATION"};
}

std::vector<std::string> ServerRow(const v1::ServerRecord& server) {
  return {server.name(),
          ShowRole(server.role()),
          ShowState(server.state()),
          ShowFilled(server),
          ShowSizes(server.spec().sizes()),
          server.model(),
          absl::StrCat(server.load().rooms()),
          ShowRate(server.load().bytes_per_second()),
          absl::StrCat(server.incarnation())};
}

View ServerDetails(const v1::ServerRecord& server) {
  View view = {Facts(server), Ranks(server)};
  if (server.missing_count() > 0) view.push_back(Missing(server));
  view.push_back(Tensors(server));
  return view;
}

}  // namespace baton::ctl
