// Geometry and placement: what replacements do to quorums, who is chosen, what bytes are refused.
#include "volume/geometry.h"

#include <bit>
#include <map>

#include "base/os/random.h"
#include "volume/placement.h"

namespace borealis {
namespace {

Geometry NineNodes() {
  Geometry geometry;
  for (uint32_t i = 0; i < 9; ++i) {
    geometry.nodes.push_back({NodeId(i + 1), "az" + std::to_string(i % 3 + 1), "127.0.0.1",
                              static_cast<uint16_t>(7000 + i), false});
  }
  return geometry;
}

std::vector<NodeLoad> AllUsable(const Geometry& geometry) {
  return std::vector<NodeLoad>(geometry.nodes.size(), NodeLoad{true, 1000});
}

Group SixOf(std::initializer_list<Slot> holders) {
  Group group;
  for (const Slot holder : holders) {
    group.seats.push_back({holder, kNoSlot});
  }
  return group;
}

// INV-QUO-1 and INV-QUO-2 for two groups of seats, one the successor of the other in time: what was
// written under `before` is read under `after`, and no two writers get their quorums apart.
void ExpectSafeStep(const Group& before, const Group& after) {
  const QuorumPair old_quorums = before.Quorums();
  const QuorumPair new_quorums = after.Quorums();
  const SegmentSet all = before.Members() | after.Members();
  for (SegmentSet a = all;; a = (a - 1) & all) {
    for (SegmentSet b = all; old_quorums.write.SatisfiedBy(a); b = (b - 1) & all) {
      if (new_quorums.write.SatisfiedBy(b) || new_quorums.read.SatisfiedBy(b)) {
        ASSERT_NE(a & b, 0U);
      }
      if (b == 0) {
        break;
      }
    }
    if (a == 0) {
      break;
    }
  }
}

TEST(GeometryTest, AWriteDuringAReplacementCountsForBothOutcomes) {
  Group group = SixOf({0, 1, 2, 3, 4, 5});
  group.seats[5].successor = 6;
  const QuorumPair quorums = group.Quorums();
  const QuorumExpression both = QuorumExpression::And(QuorumExpression::AtLeast(4, 0b0111111),
                                                      QuorumExpression::AtLeast(4, 0b1011111));
  for (SegmentSet set = 0; set < 1 << 7; ++set) {
    EXPECT_EQ(quorums.write.SatisfiedBy(set), both.SatisfiedBy(set));
  }
  EXPECT_TRUE(quorums.write.SatisfiedBy(0b0001111));
  EXPECT_EQ(quorums.write.ToString(), "4 of {0,1,2,3,4,2 of {5,6}}");
  // The successor may lack what was written before.
  EXPECT_FALSE(quorums.read.SatisfiedBy(0b1000011));
}

TEST(GeometryTest, TwoSeatsChangeAtOnce) {
  // The paper's second failure: (ABCDEF and ABCDEG) and (ABCDHF and ABCDHG).
  Group group = SixOf({0, 1, 2, 3, 4, 5});
  group.seats[5].successor = 6;
  group.seats[4].successor = 7;
  const QuorumExpression write = group.Quorums().write;
  const auto four_of = [](SegmentSet set) { return QuorumExpression::AtLeast(4, set); };
  for (SegmentSet set = 0; set < 1 << 8; ++set) {
    EXPECT_EQ(write.SatisfiedBy(set),
              four_of(0b00111111).SatisfiedBy(set) && four_of(0b01011111).SatisfiedBy(set) &&
                  four_of(0b10101111).SatisfiedBy(set) && four_of(0b11001111).SatisfiedBy(set));
  }
}

TEST(GeometryTest, EveryStepOfAReplacementIsSafe) {  // INV-QUO-2
  const Group before = SixOf({0, 1, 2, 3, 4, 5});
  Group one = before;
  one.seats[5].successor = 6;
  Group two = one;
  two.seats[4].successor = 7;
  Group done = one;
  done.seats[5] = {6, kNoSlot};
  Group done_of_two = two;
  done_of_two.seats[4] = {7, kNoSlot};
  ExpectSafeStep(before, one);
  ExpectSafeStep(one, before);
  ExpectSafeStep(one, done);
  ExpectSafeStep(one, two);
  ExpectSafeStep(two, one);
  ExpectSafeStep(two, done_of_two);
}

TEST(GeometryTest, RoundTripsAndRefusesDamage) {
  Geometry geometry = NineNodes();
  geometry.version = {VolumeEpoch(3), 17};
  geometry.pages_per_pg = kPagesPerPgMin;
  geometry.groups = {SixOf({0, 1, 2, 3, 4, 5}), SixOf({3, 4, 5, 6, 7, 8})};
  geometry.groups[1].seats[0].successor = 0;
  geometry.nodes[2].draining = true;
  const std::string bytes = EncodeGeometry(geometry);
  const Result<Geometry> parsed = ParseGeometry(bytes);
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(*parsed, geometry);
  EXPECT_EQ(parsed->version.ToString(), "3.17");
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_FALSE(ParseGeometry(damaged).ok()) << at;
    EXPECT_FALSE(ParseGeometry(bytes.substr(0, at)).ok()) << at;
  }
}

TEST(GeometryTest, ImpossibleSeatsAreRefused) {
  Geometry geometry = NineNodes();
  geometry.groups = {SixOf({0, 1, 2, 3, 4, 4})};
  EXPECT_FALSE(ParseGeometry(EncodeGeometry(geometry)).ok());
  geometry.groups = {SixOf({0, 1, 2, 3, 4, 9})};
  EXPECT_FALSE(ParseGeometry(EncodeGeometry(geometry)).ok());
  geometry.groups = {SixOf({0, 1, 2, 3, 4, 5})};
  geometry.groups[0].seats[2].successor = 4;
  EXPECT_FALSE(ParseGeometry(EncodeGeometry(geometry)).ok());
  geometry.groups[0].seats[2].successor = 8;
  EXPECT_TRUE(ParseGeometry(EncodeGeometry(geometry)).ok());
}

TEST(GeometryTest, VersionsOrderByEpochFirst) {  // INV-GEO-3
  EXPECT_LT((GeometryVersion{VolumeEpoch(2), 9}), (GeometryVersion{VolumeEpoch(3), 1}));
  EXPECT_LT((GeometryVersion{VolumeEpoch(3), 1}), (GeometryVersion{VolumeEpoch(3), 2}));
}

TEST(PlacementTest, TwoInEachAzSpreadEvenly) {
  Geometry geometry = NineNodes();
  std::vector<int> used(9);
  for (uint32_t pg = 0; pg < 30; ++pg) {
    const Result<Group> group = PlaceGroup(geometry, PgId(pg), AllUsable(geometry));
    ASSERT_TRUE(group.ok());
    geometry.groups.push_back(*group);
    std::map<std::string, int> in_az;
    for (const Seat& seat : group->seats) {
      ++in_az[geometry.nodes[seat.holder].az];
      ++used[seat.holder];
    }
    EXPECT_EQ(in_az, (std::map<std::string, int>{{"az1", 2}, {"az2", 2}, {"az3", 2}}));
    EXPECT_EQ(std::popcount(group->Members()), 6);
  }
  EXPECT_EQ(used, std::vector<int>(9, 20));
}

TEST(PlacementTest, FreeSpaceDrainingAndFailuresCount) {
  Geometry geometry = NineNodes();
  std::vector<NodeLoad> loads = AllUsable(geometry);
  loads[0].free_bytes = 100;  // of az1: 0, 3, 6
  const Result<Group> group = PlaceGroup(geometry, PgId(0), loads);
  ASSERT_TRUE(group.ok());
  EXPECT_EQ(group->Members() & SegmentBit(0), 0U);
  geometry.nodes[3].draining = true;
  EXPECT_NE(PlaceGroup(geometry, PgId(0), loads)->Members() & SegmentBit(0), 0U);
  loads[6].usable = false;
  const Result<Group> none = PlaceGroup(geometry, PgId(0), loads);
  EXPECT_EQ(none.status().code(), Code::kUnavailable);
  EXPECT_NE(none.status().ToString().find("az1 has 1 usable"), std::string::npos);
}

TEST(PlacementTest, SuccessorsStayInTheAz) {
  Geometry geometry = NineNodes();
  geometry.groups = {SixOf({0, 3, 1, 4, 2, 5})};
  std::vector<NodeLoad> loads = AllUsable(geometry);
  EXPECT_EQ(ChooseSuccessor(geometry, PgId(0), 0, loads), Slot{6});
  EXPECT_EQ(ChooseSuccessor(geometry, PgId(0), 2, loads), Slot{7});
  geometry.groups[0].seats[0].successor = 6;
  EXPECT_EQ(ChooseSuccessor(geometry, PgId(0), 1, loads), std::nullopt);
  loads[7].usable = false;
  EXPECT_EQ(ChooseSuccessor(geometry, PgId(0), 2, loads), std::nullopt);
}

}  // namespace
}  // namespace borealis
