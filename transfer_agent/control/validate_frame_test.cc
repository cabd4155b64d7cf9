#include "transfer_agent/control/validate_frame.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/reason.h"

namespace baton::control {
namespace {

v1::RankRef Rank() {
  v1::RankRef rank;
  rank.set_server("prefill-a");
  rank.mutable_coord()->set_tp(3);
  return rank;
}

v1::Frame GoodOffer() {
  v1::Frame frame;
  frame.set_seq(1);
  v1::Offer& offer = *frame.mutable_offer();
  *offer.mutable_source() = Rank();
  *offer.mutable_target() = Rank();
  offer.set_total_tokens(10);
  offer.set_prefix_tokens(10);
  offer.add_pages()->set_pages(std::string(8, '\0'));
  return frame;
}

v1::Frame GoodAnnounce() {
  v1::Frame frame;
  frame.set_seq(1);
  v1::RankAnnouncement& rank = *frame.mutable_announce()->add_ranks();
  *rank.mutable_rank() = Rank();
  rank.set_role(v1::ROLE_PREFILL);
  rank.add_transports("tcp");
  rank.mutable_spec()->add_tensors()->add_layers(0);
  return frame;
}

std::string Error(const v1::Frame& frame) {
  absl::Status status = ValidateFrame(frame);
  if (!status.ok()) {
    EXPECT_EQ(ReasonOf(status), Reason::kBadMessage);
  }
  return std::string(status.message());
}

struct Spoilt {
  v1::Frame (*good)();
  std::function<void(v1::Frame*)> spoil;
  std::string error;
};

TEST(ValidateFrame, GoodFramesPass) {
  EXPECT_EQ(Error(GoodOffer()), "");
  EXPECT_EQ(Error(GoodAnnounce()), "");
}

TEST(ValidateFrame, AnUnknownBodyPasses) {
  v1::Frame frame;
  frame.set_seq(4);
  EXPECT_EQ(Error(frame), "") << "it comes from a newer version";
}

TEST(ValidateFrame, OffersOutOfBoundsNameTheField) {
  const std::vector<Spoilt> cases = {
      {GoodOffer, [](auto* f) { f->mutable_offer()->mutable_offer()->set_slot(65536); },
       "offer.offer.slot: 65536 is above 65535"},
      {GoodOffer, [](auto* f) { f->mutable_offer()->mutable_offer()->set_generation(1024); },
       "offer.offer.generation: 1024 is above 1023"},
      {GoodOffer, [](auto* f) { f->mutable_offer()->mutable_source()->clear_server(); },
       "offer.source.server: is empty"},
      {GoodOffer,
       [](auto* f) { f->mutable_offer()->mutable_target()->mutable_coord()->set_cp(70000); },
       "offer.target.coord.cp: 70000 is above 65535"},
      {GoodOffer,
       [](auto* f) {
         f->mutable_offer()->mutable_pages(0)->set_pages(std::string(kPageListBytesMax + 1, 'p'));
       },
       "offer.pages: 4194305 bytes; at most 4194304"},
      {GoodOffer,
       [](auto* f) {
         for (int i = 0; i < kPageListsMax; ++i) f->mutable_offer()->add_pages();
       },
       "offer.pages: 65 entries; at most 64"},
      {GoodOffer, [](auto* f) { f->mutable_offer()->set_prefix_tokens(11); },
       "offer.prefix_tokens: 11 is above 10"},
      {GoodOffer, [](auto* f) { f->mutable_offer()->set_transport(std::string(33, 't')); },
       "offer.transport: 33 bytes; at most 32"},
  };
  for (const Spoilt& spoilt : cases) {
    v1::Frame frame = spoilt.good();
    spoilt.spoil(&frame);
    EXPECT_EQ(Error(frame), spoilt.error);
  }
}

TEST(ValidateFrame, AnnouncementsOutOfBoundsNameTheField) {
  const std::vector<Spoilt> cases = {
      {GoodAnnounce, [](auto* f) { f->mutable_announce()->mutable_ranks(0)->clear_role(); },
       "announce.ranks.role: 0 is outside of 1 to 2"},
      {GoodAnnounce, [](auto* f) { f->mutable_announce()->mutable_ranks(0)->add_transports(""); },
       "announce.ranks.transports: is empty"},
      {GoodAnnounce,
       [](auto* f) {
         auto* tensor = f->mutable_announce()->mutable_ranks(0)->mutable_spec()->mutable_tensors(0);
         for (int i = 0; i < 4096; ++i) tensor->add_layers(i);
       },
       "announce.ranks.spec.tensors.layers: 4097 entries; at most 4096"},
      {GoodAnnounce,
       [](auto* f) {
         while (f->announce().ranks_size() <= kAnnouncedRanksMax)
           f->mutable_announce()->add_ranks();
       },
       "announce.ranks: 1025 entries; at most 1024"},
  };
  for (const Spoilt& spoilt : cases) {
    v1::Frame frame = spoilt.good();
    spoilt.spoil(&frame);
    EXPECT_EQ(Error(frame), spoilt.error);
  }
}

TEST(ValidateFrame, CausesAndChannelDataAreBounded) {
  v1::Frame frame;
  frame.set_seq(1);
  frame.mutable_failed()->mutable_cause()->set_message(std::string(5000, 'x'));
  EXPECT_EQ(Error(frame), "failed.cause.message: 5000 bytes; at most 4096");
  frame.mutable_channel_open()->set_transport("tcp");
  EXPECT_EQ(Error(frame), "");
  frame.mutable_channel_open()->set_data(std::string(kChannelDataBytesMax + 1, 'x'));
  EXPECT_EQ(Error(frame), "channel_open.data: 65537 bytes; at most 65536");
  frame.mutable_channel_accept()->mutable_cause()->set_reason(std::string(65, 'R'));
  EXPECT_EQ(Error(frame), "channel_accept.cause.reason: 65 bytes; at most 64");
}

TEST(ValidateFrame, LostChannelsAndGoodbyesAreBounded) {
  v1::Frame frame;
  frame.set_seq(1);
  frame.mutable_channel_lost()->set_channel(UINT64_MAX);
  EXPECT_EQ(Error(frame), "channel_lost.transport: is empty");
  frame.mutable_channel_lost()->set_transport("tcp");
  EXPECT_EQ(Error(frame), "");
  frame.mutable_channel_lost()->mutable_cause()->set_message(std::string(5000, 'x'));
  EXPECT_EQ(Error(frame), "channel_lost.cause.message: 5000 bytes; at most 4096");
  frame.mutable_goodbye()->set_why(std::string(256, 'x'));
  EXPECT_EQ(Error(frame), "");
  frame.mutable_goodbye()->set_why(std::string(257, 'x'));
  EXPECT_EQ(Error(frame), "goodbye.why: 257 bytes; at most 256");
}

TEST(ValidateFrame, AWorkerOutOfBoundsIsNamed) {
  v1::Frame frame = GoodOffer();
  frame.set_to_worker(70000);
  EXPECT_EQ(Error(frame), "frame.to_worker: 70000 is above 65535");
}

TEST(ValidateFrame, OnlyFramesOfTheStreamItselfHaveNoNumber) {
  v1::Frame frame;
  frame.mutable_heartbeat();
  EXPECT_EQ(Error(frame), "");
  frame.set_seq(1);
  EXPECT_EQ(Error(frame), "hello or heartbeat with a number");
  frame = GoodOffer();
  frame.set_seq(0);
  EXPECT_EQ(Error(frame), "a frame without a number");
}

}  // namespace
}  // namespace baton::control
