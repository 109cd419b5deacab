// Newtypes of the things every tier names: positions in the log, pages, groups, nodes, epochs.
//
// They compare and print; arithmetic exists only where it means something (Lsn ± bytes). Converting
// between kinds takes an explicit .value(). All are trivially copyable and hash by value.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace borealis {

// `Tag` makes the types distinct; `Rep` is the representation on disk and wire.
template <class Tag, class Rep>
class Newtype {
 public:
  constexpr Newtype() = default;
  constexpr explicit Newtype(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Newtype, Newtype) = default;
  std::string ToString() const { return std::to_string(value_); }

 private:
  Rep value_ = 0;
};

// Log sequence number: a byte position in the volume's one log. 0 is before every record. A record
// covers [start, end) and is named by its end.
class Lsn : public Newtype<struct LsnTag, uint64_t> {
 public:
  using Newtype::Newtype;
  constexpr Lsn operator+(uint64_t bytes) const { return Lsn(value() + bytes); }
  constexpr Lsn operator-(uint64_t bytes) const { return Lsn(value() - bytes); }
  // Distance in bytes; REQUIRES: *this >= earlier.
  constexpr uint64_t operator-(Lsn earlier) const { return value() - earlier.value(); }
  static constexpr Lsn Max() { return Lsn(~uint64_t{0}); }
};

// A page of the volume, from 0, in one 64-bit space. kNoPage marks a record without a page.
class PageNo : public Newtype<struct PageNoTag, uint64_t> {
 public:
  using Newtype::Newtype;
};
inline constexpr PageNo kNoPage{~uint64_t{0}};

// A protection group of the volume, from 0.
class PgId : public Newtype<struct PgIdTag, uint32_t> {
 public:
  using Newtype::Newtype;
};
// Generation of the volume's writer: who holds a lower one is fenced.
class VolumeEpoch : public Newtype<struct VolumeEpochTag, uint64_t> {
 public:
  using Newtype::Newtype;
};
class VolumeId : public Newtype<struct VolumeIdTag, uint64_t> {
 public:
  using Newtype::Newtype;
};
// A storage node of the cluster, from 1.
class NodeId : public Newtype<struct NodeIdTag, uint32_t> {
 public:
  using Newtype::Newtype;
};
// A transaction, in order of its first change. 0 is no transaction.
class TrxId : public Newtype<struct TrxIdTag, uint64_t> {
 public:
  using Newtype::Newtype;
};

}  // namespace borealis

#define BOREALIS_HASH_NEWTYPE(Type)                                                            \
  template <>                                                                                  \
  struct std::hash<borealis::Type> {                                                           \
    size_t operator()(borealis::Type id) const noexcept {                                      \
      return std::hash<uint64_t>()(static_cast<uint64_t>(id.value()) * 0x9E3779B97F4A7C15ULL); \
    }                                                                                          \
  };
BOREALIS_HASH_NEWTYPE(Lsn)
BOREALIS_HASH_NEWTYPE(PageNo)
BOREALIS_HASH_NEWTYPE(PgId)
BOREALIS_HASH_NEWTYPE(NodeId)
BOREALIS_HASH_NEWTYPE(TrxId)
#undef BOREALIS_HASH_NEWTYPE
