// What the kernel walks against what the planner's cursor says: every byte once, from and to the
// same places; and what is refused before a GPU sees an address.
#include "transfer_agent/transport/cuda/work_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/reason.h"
#include "planner/plan.h"
#include "planner/proof/model.h"
#include "planner/proof/specs.h"

namespace baton::transport::cuda {
namespace {

using planner::ChunkRange;
using planner::CopyRun;
using planner::Cursor;
using planner::Draw;
using planner::ModelKind;
using planner::ModelRank;
using planner::ModelServer;
using planner::PairPlan;
using planner::RoomTokens;
using planner::ServerSpec;
using planner::SidePages;
using ::testing::HasSubstr;

// Far apart, and none at a multiple of another's place.
std::vector<uint64_t> Places(const std::vector<uint64_t>& sizes, uint64_t from) {
  std::vector<uint64_t> at;
  for (size_t i = 0; i < sizes.size(); ++i) at.push_back(from + i * (uint64_t{1} << 40));
  return at;
}

// Target address to source address, byte for byte; empty with a failure where a byte comes twice.
using Bytes = std::map<uint64_t, uint64_t>;

void Add(uint64_t target, uint64_t source, uint64_t length, Bytes* bytes) {
  for (uint64_t i = 0; i < length; ++i) {
    ASSERT_TRUE(bytes->emplace(target + i, source + i).second) << "written twice";
  }
}

Bytes ByCursor(Cursor cursor, const std::vector<uint64_t>& source_at,
               const std::vector<uint64_t>& target_at) {
  Bytes bytes;
  CopyRun run;
  while (cursor.Next(absl::MakeSpan(&run, 1)) == 1) {
    Add(target_at[run.target_region] + run.target_offset,
        source_at[run.source_region] + run.source_offset, run.length, &bytes);
  }
  return bytes;
}

// As the kernel does: groups, then pieces, each by its number alone.
Bytes ByItems(const std::byte* block, uint32_t items) {
  Bytes bytes;
  uint32_t groups = 0;
  const Item* item = reinterpret_cast<const Item*>(block);
  for (uint32_t i = 0; i < items; ++i, ++item) {
    EXPECT_EQ(item->first_group, groups);
    EXPECT_GE(item->group_pieces, 1u);
    EXPECT_LE(item->group_pieces, 32u);
    groups += (item->pieces + item->group_pieces - 1) / item->group_pieces;
    for (uint32_t p = 0; p < item->pieces + 3; ++p) {
      const Piece piece = PieceAt(*item, p);
      if (piece.bytes == 0) continue;
      EXPECT_LT(p, item->pieces);
      EXPECT_LE(piece.bytes, item->cut_bytes);
      EXPECT_EQ((piece.source | piece.target | piece.bytes) % item->vector_bytes, 0u);
      Add(piece.target, piece.source, piece.bytes, &bytes);
    }
  }
  return bytes;
}

// A random pair of ranks with a plan between them and a room.
struct Pair {
  explicit Pair(uint64_t seed) : random(seed) {
    const auto kind = static_cast<ModelKind>(seed % planner::kModelKinds);
    const auto draw_spec = [&](uint32_t page_tokens) {
      const RankCoord sizes{1, 1, static_cast<uint32_t>(Draw(random, 1, 3)),
                            uint32_t{1} << Draw(random, 0, 2)};
      constexpr planner::CpSharding kShardings[] = {planner::CpSharding::kReplicated,
                                                    planner::CpSharding::kInterleavedToken,
                                                    planner::CpSharding::kInterleavedPage};
      const planner::CpSharding sharding = kShardings[Draw(random, 0, 2)];
      return planner::MakeSpec(kind, sizes, sharding, 4, page_tokens, random);
    };
    const ServerSpec from = draw_spec(uint32_t{1} << Draw(random, 2, 4));
    const ServerSpec to = draw_spec(uint32_t{1} << Draw(random, 2, 4));
    tokens.total = Draw(random, 1, 60);
    tokens.prefix = Draw(random, 0, tokens.total);
    source.emplace_back(from, planner::RandomOptions(from, 80, random));
    target.emplace_back(to, planner::RandomOptions(to, 80, random));
    source[0].OpenRoom(tokens.total, 0, seed);
    target[0].OpenRoom(tokens.total, tokens.prefix, seed + 1);
    for (const RankCoord& coord : target[0].Ranks()) targets.push_back(coord);
    for (const RankCoord& coord : source[0].Ranks()) sources.push_back(coord);
  }

  planner::Random random;
  RoomTokens tokens;
  std::vector<ModelServer> source, target;  // one each
  std::vector<RankCoord> sources, targets;
};

// The first pair of ranks of `pair` between which something moves, and what it takes to look at it.
struct Move {
  explicit Move(Pair* pair) {
    const ServerSpec& from_spec = pair->source[0].spec();
    const ServerSpec& to_spec = pair->target[0].spec();
    for (const RankCoord& s : pair->sources) {
      for (const RankCoord& t : pair->targets) {
        const ModelRank& from = pair->source[0].At(s);
        const ModelRank& to = pair->target[0].At(t);
        auto made =
            planner::PlanPair(from_spec, s, from.built.layout, to_spec, t, to.built.layout, {});
        if (!made.ok() || planner::RoomBytes(*made, pair->tokens) == 0) continue;
        plan = *std::move(made);
        source_pages = ModelServer::PagesFrom(from_spec, from, 0);
        target_pages = ModelServer::PagesFrom(to_spec, to, pair->tokens.prefix);
        source_sizes = from.built.region_sizes;
        target_sizes = to.built.region_sizes;
        found = true;
        return;
      }
    }
  }

  Cursor NewCursor(const RoomTokens& tokens, const ChunkRange& chunk) const {
    return Cursor(&plan, tokens, chunk, &source_pages, &target_pages);
  }

  bool found = false;
  PairPlan plan;
  SidePages source_pages, target_pages;
  std::vector<uint64_t> source_sizes, target_sizes;
};

ChunkRange WholeRoom(const RoomTokens& tokens) {
  ChunkRange chunk;
  chunk.token_end = tokens.total;
  chunk.last = true;
  return chunk;
}

TEST(WorkList, WalksTheBytesThatTheCursorSaysForEveryShapeOfCache) {
  int moved = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    Pair pair(seed);
    const Move move(&pair);
    if (!move.found) continue;
    ++moved;
    const ChunkRange chunk = WholeRoom(pair.tokens);
    const auto source_at = Places(move.source_sizes, 0x10000000000);
    const auto target_at = Places(move.target_sizes, 0x9000000000000);
    const Bytes expected = ByCursor(move.NewCursor(pair.tokens, chunk), source_at, target_at);
    WorkList work;
    work.Read(move.NewCursor(pair.tokens, chunk));
    ASSERT_TRUE(CheckLists(move.plan, move.source_pages).ok());
    ASSERT_TRUE(work.CheckSource(move.source_pages, move.source_sizes).ok()) << seed;
    ASSERT_TRUE(work.CheckTarget(move.target_pages, move.target_sizes).ok()) << seed;
    EXPECT_EQ(work.bytes(), expected.size());
    std::vector<uint64_t> block(work.BlockBytes() / 8 + 1);
    auto* at = reinterpret_cast<std::byte*>(block.data());
    // Seen where it is: lists are read through it.
    const uint32_t group_bytes = uint32_t{64} << seed % 8;
    ASSERT_TRUE(
        work.Write(at, reinterpret_cast<uint64_t>(at), source_at, target_at, group_bytes).ok());
    ASSERT_EQ(ByItems(at, work.items()), expected) << "seed " << seed;
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(moved, 400);
}

TEST(WorkList, TakesAsManyItemsForALongRoomAsForAShortOne) {
  planner::Random random(1);
  const ServerSpec spec = planner::MakeSpec(ModelKind::kGqa, {1, 1, 1, 1},
                                            planner::CpSharding::kReplicated, 4, 4, random);
  std::vector<uint32_t> items;
  for (uint64_t total : {16, 4000}) {
    ModelServer source(spec, planner::RandomOptions(spec, 4000, random));
    ModelServer target(spec, planner::RandomOptions(spec, 4000, random));
    source.OpenRoom(total, 0, 1);
    target.OpenRoom(total, 0, 2);
    const ModelRank& from = source.At(0, 0, 0);
    const ModelRank& to = target.At(0, 0, 0);
    const auto plan =
        planner::PlanPair(spec, from.coord, from.built.layout, spec, to.coord, to.built.layout, {});
    ASSERT_TRUE(plan.ok());
    const SidePages source_pages = ModelServer::PagesFrom(spec, from, 0);
    const SidePages target_pages = ModelServer::PagesFrom(spec, to, 0);
    const RoomTokens tokens{total, 0};
    WorkList work;
    work.Read(Cursor(&*plan, tokens, WholeRoom(tokens), &source_pages, &target_pages));
    items.push_back(work.items());
  }
  EXPECT_EQ(items[0], items[1]);
}

// The first move of a pair with pages on both sides.
class HostileLists : public ::testing::Test {
 protected:
  HostileLists() : pair_(SeedThatMoves()), move_(&pair_) {
    work_.Read(move_.NewCursor(pair_.tokens, WholeRoom(pair_.tokens)));
  }
  // Of a cache of K and V.
  static uint64_t SeedThatMoves() {
    uint64_t seed = 0;
    for (bool found = false; !found; seed += found ? 0 : planner::kModelKinds) {
      Pair pair(seed);
      found = Move(&pair).found;
    }
    return seed;
  }
  Pair pair_;
  Move move_;
  WorkList work_;
};

TEST_F(HostileLists, ThatAreTooFewAreRefusedBeforeACursorIsMade) {
  SidePages none = move_.source_pages;
  none.pages.clear();
  const absl::Status refused = CheckLists(move_.plan, none);
  EXPECT_EQ(ReasonOf(refused), Reason::kBadPages);
  EXPECT_THAT(refused.message(), HasSubstr("the source names 0 page lists"));
}

TEST_F(HostileLists, ThatAreTooShortAreRefused) {
  SidePages shorter = move_.source_pages;
  for (auto& list : shorter.pages) list = list.first(list.empty() ? 0 : list.size() - 1);
  const absl::Status refused = work_.CheckSource(shorter, move_.source_sizes);
  EXPECT_EQ(ReasonOf(refused), Reason::kBadPages);
  EXPECT_THAT(refused.message(), HasSubstr("the chunk needs more"));
}

TEST_F(HostileLists, WithAPageOutsideTheMemoryAreRefused) {
  for (int32_t page : {1 << 20, INT32_MAX, -1}) {
    std::vector<std::vector<int32_t>> lists;
    for (const auto& list : move_.source_pages.pages) lists.emplace_back(list.begin(), list.end());
    SidePages pages = move_.source_pages;
    for (size_t i = 0; i < lists.size(); ++i) {
      // Pages of the prefix are not looked at: the last one is always of the chunk.
      if (!lists[i].empty()) lists[i].back() = page;
      pages.pages[i] = lists[i];
    }
    WorkList work;
    work.Read(
        Cursor(&move_.plan, pair_.tokens, WholeRoom(pair_.tokens), &pages, &move_.target_pages));
    const absl::Status refused = work.CheckSource(pages, move_.source_sizes);
    EXPECT_EQ(ReasonOf(refused), Reason::kBadPages) << page;
    EXPECT_THAT(refused.message(), HasSubstr("of the source is not inside its region"));
  }
}

TEST_F(HostileLists, ForMemoryThatIsSmallerThanTheLayoutAreRefusedOnBothSides) {
  for (uint64_t& size : move_.source_sizes) size = 1;
  for (uint64_t& size : move_.target_sizes) size = 1;
  EXPECT_THAT(work_.CheckSource(move_.source_pages, move_.source_sizes).message(),
              HasSubstr("of the source is not inside its region"));
  EXPECT_THAT(work_.CheckTarget(move_.target_pages, move_.target_sizes).message(),
              HasSubstr("of the target is not inside its region"));
  EXPECT_THAT(work_.CheckTarget(move_.target_pages, {}).message(),
              HasSubstr("is not inside its region"));
}

}  // namespace
}  // namespace baton::transport::cuda
