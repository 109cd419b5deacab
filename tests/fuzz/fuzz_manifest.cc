// Storage nodes' manifests: what parses is encoded to what parses to the same.
#include "base/coding.h"
#include "base/crc32c.h"
#include "storage_node/manifest.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

using storage_node::EncodeManifest;
using storage_node::Manifest;
using storage_node::ParseManifest;

constexpr size_t kPrefixSize = 12;

class ManifestTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    Manifest manifest;
    manifest.node = NodeId(4);
    std::vector<std::string> seeds = {EncodeManifest(manifest)};
    manifest.journal_first = 3;
    manifest.journal_last = 9;
    manifest.volumes.push_back(
        {VolumeId(1),
         VolumeEpoch(5),
         true,
         77,
         Lsn(1000),
         VolumeEpoch(5),
         Lsn(900),
         {{storage_node::HoldKind::kClone, 7, Lsn(800)}},
         {{Lsn(10), Lsn(20), VolumeEpoch(2)}, {Lsn(30), Lsn(40), VolumeEpoch(3)}},
         "geometry",
         true});
    for (uint32_t pg = 0; pg < 3; ++pg) {
      storage_node::SegmentRecord segment;
      segment.volume = VolumeId(1);
      segment.pg = PgId(pg);
      segment.layered_up_to = Lsn(500);
      for (uint64_t number = 1; number <= pg; ++number) {
        segment.layers.push_back({number, VolumeId(1), PgId(pg), 0, Lsn(number * 100),
                                  Lsn(number * 100 + 100), Lsn(0), 4096, 3, 1});
      }
      manifest.segments.push_back(segment);
    }
    seeds.push_back(EncodeManifest(manifest));
    return seeds;
  }

  void Repair(std::string* input) override {
    if (input->size() >= kPrefixSize) {
      StoreLittle(input->data() + 8, Crc32c(std::string_view(*input).substr(kPrefixSize)));
    }
  }

  void Run(std::string_view input) override {
    const Result<Manifest> manifest = ParseManifest(input);
    if (!manifest.ok()) {
      return;
    }
    const std::string encoded = EncodeManifest(*manifest);
    const Result<Manifest> again = ParseManifest(encoded);
    FUZZ_CHECK(again.ok(), "what was encoded does not parse");
    FUZZ_CHECK(EncodeManifest(*again) == encoded, "not a fixed point");
  }
};

}  // namespace

Target& TheTarget() {
  static ManifestTarget target;
  return target;
}

}  // namespace borealis::fuzz
