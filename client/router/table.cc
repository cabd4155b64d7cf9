#include "client/router/table.h"

#include <algorithm>
#include <utility>

#include "client/router/stable_hash.h"
#include "client/router/table_entry.h"
#include "planner/compatible.h"
#include "planner/layout_proto.h"
#include "planner/plan.h"

namespace baton::router {
namespace {

constexpr size_t kPlaceLabelsMax = 7;
// A server that says it is unwell comes after all others.
constexpr uint64_t kUnwell = uint64_t{1} << 63;

size_t SideOf(v1::Role role) { return role == v1::ROLE_PREFILL ? 0 : 1; }

std::string LabelOf(const v1::ServerRecord& server, const char* name) {
  auto found = server.labels().find(name);
  return found == server.labels().end() ? "" : found->second;
}

}  // namespace

Table::Table(const TableOptions& options)
    : options_(options), random_(options.seed), rooms_(options.room_nonce, options.first_room) {
  const google::protobuf::Map<std::string, std::string> here(options.here.begin(),
                                                             options.here.end());
  here_ = PlacesOf(here);
}

Table::~Table() = default;

Places Table::PlacesOf(const google::protobuf::Map<std::string, std::string>& labels) const {
  Places places = {kEverywhere};
  const size_t count = std::min(options_.place_labels.size(), kPlaceLabelsMax);
  for (size_t level = 0; level < count; ++level) {
    // What lies below a place that is not known is not compared.
    auto label = labels.find(options_.place_labels[level]);
    if (label == labels.end()) break;
    places.push_back(Mix(places.back() + StableHash(label->second)) | 1);
  }
  return places;
}

uint32_t Table::NewEntry(const std::string& name) {
  uint32_t id = static_cast<uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  entries_[id] = std::make_unique<Entry>();
  entries_[id]->salt = static_cast<uint32_t>(random_.Next());
  by_name_.emplace(name, id);
  return id;
}

void Table::FindPool(Entry* entry) {
  const v1::Role role = entry->record->role();
  if (role != v1::ROLE_PREFILL && role != v1::ROLE_DECODE) return;
  auto spec = planner::FromProto(entry->record->spec());
  if (!spec.ok() || !planner::ValidateSpec(*spec).ok()) return;
  const Marks marks{LabelOf(*entry->record, "revision"), LabelOf(*entry->record, "engine")};
  std::unique_ptr<Model>& model = models_[entry->record->model()];
  if (model == nullptr) model = std::make_unique<Model>();
  const size_t side = SideOf(role);
  entry->dp_size = std::max(1U, spec->sizes.dp);
  entry->model = model.get();
  for (const std::unique_ptr<Pool>& pool : model->pools[side]) {
    if (pool->marks() == marks && pool->spec() == *spec) entry->pool = pool.get();
  }
  if (entry->pool == nullptr) entry->pool = model->AddPool(side, *std::move(spec), marks);
  ++entry->pool->entries;
}

void Table::LeavePool(Entry* entry) {
  if (entry->pool == nullptr) return;
  if (--entry->pool->entries == 0) {
    entry->model->RemovePool(SideOf(entry->record->role()), entry->pool);
    if (entry->model->empty()) models_.erase(entry->record->model());
  }
  entry->pool = nullptr;
  entry->model = nullptr;
}

void Table::Open(uint32_t id) {
  Entry* entry = At(id);
  Pool* pool = entry->pool;
  entry->places = PlacesOf(entry->record->labels());
  entry->seats = pool->Join(id, entry->record->name(), entry->places, KeyOf(*entry));
  entry->open = true;
  if (pool->size() > 1) return;
  for (Pool* partner : pool->partners) ++partner->open_partners;
}

void Table::Close(uint32_t id) {
  Entry* entry = At(id);
  if (!entry->open) return;
  entry->open = false;
  Pool* pool = entry->pool;
  pool->Leave(entry->record->name(), entry->places, entry->seats,
              [this](uint32_t moved, uint64_t place, uint32_t seat) {
                Entry* other = At(moved);
                auto level = std::find(other->places.begin(), other->places.end(), place);
                other->seats[level - other->places.begin()] = seat;
              });
  if (pool->size() > 0) return;
  for (Pool* partner : pool->partners) --partner->open_partners;
}

void Table::Update(std::shared_ptr<const v1::ServerRecord> server) {
  auto known = by_name_.find(server->name());
  const bool is_new = known == by_name_.end();
  const uint32_t id = is_new ? NewEntry(server->name()) : known->second;
  Entry* entry = At(id);
  const bool same = !is_new && entry->SameStart(*server);
  const bool open = server->state() == v1::SERVER_STATE_READY;
  if (same && entry->open && open) {
    // The common case: a report of its load.
    entry->record = std::move(server);
    return SetKey(id);
  }
  Close(id);
  if (!same) LeavePool(entry);
  entry->record = std::move(server);
  if (!same) FindPool(entry);
  if (open && entry->pool != nullptr) Open(id);
}

void Table::Remove(absl::string_view name) {
  auto known = by_name_.find(name);
  if (known == by_name_.end()) return;
  const uint32_t id = known->second;
  Close(id);
  LeavePool(At(id));
  entries_[id] = nullptr;
  free_.push_back(id);
  by_name_.erase(known);
}

uint64_t Table::KeyOf(const Entry& entry) const {
  const v1::ServerRecord& record = *entry.record;
  const uint64_t rooms = uint64_t{record.load().rooms()} + entry.picked + entry.picked_before;
  // Rooms of one dp rank, in 64ths; equal ones in an order of this router's own.
  const uint64_t share = std::min<uint64_t>(rooms * 64 / entry.dp_size, INT32_MAX);
  const bool unwell = record.has_load() && !record.load().healthy();
  return (unwell ? kUnwell : 0) | share << 32 | entry.salt;
}

void Table::SetKey(uint32_t id) {
  const Entry& entry = *At(id);
  if (entry.open) entry.pool->SetKey(entry.places, entry.seats, KeyOf(entry));
}

void Table::Age() {
  for (uint32_t id = 0; id < entries_.size(); ++id) {
    Entry* entry = At(id);
    if (entry == nullptr || (entry->picked == 0 && entry->picked_before == 0)) continue;
    entry->picked_before = std::exchange(entry->picked, 0);
    SetKey(id);
  }
}

std::shared_ptr<const v1::ServerRecord> Table::Find(absl::string_view name) const {
  auto known = by_name_.find(name);
  return known == by_name_.end() ? nullptr : At(known->second)->record;
}

}  // namespace baton::router
