#include "storage_client/pg_tails.h"

#include <algorithm>

#include "base/invariant.h"

namespace borealis::storage_client {

void PgTails::Advance(PgId pg, Lsn before, Lsn vdl, Lsn tail) {
  INVARIANT_LE(before, vdl);
  INVARIANT_LE(tail, vdl);
  std::vector<Point>& points = groups_[pg];
  if (!points.empty()) {
    INVARIANT_LE(points.back().vdl, vdl);
    INVARIANT_LE(points.back().tail, tail);
    if (points.back().tail == tail) {
      points.back().vdl = vdl;
      return;
    }
    points.back().vdl = std::max(points.back().vdl, before);
  }
  points.push_back({vdl, tail});
  if (points.size() > kPointsMax) {
    Thin(&points);
  }
}

void PgTails::Thin(std::vector<Point>* points) const {
  std::vector<Point> kept;
  for (size_t i = 0; i < points->size(); ++i) {
    const bool is_newest_half = i >= points->size() / 2;
    const bool is_needed = (*points)[i].vdl >= lowest_ || i + 1 == points->size();
    if (is_needed && (is_newest_half || i % 2 == 1)) {
      kept.push_back((*points)[i]);
    }
  }
  *points = std::move(kept);
}

std::optional<Lsn> PgTails::Needed(PgId pg, Lsn read_point) const {
  const auto found = groups_.find(pg);
  if (found == groups_.end()) {
    return std::nullopt;
  }
  const std::vector<Point>& points = found->second;
  const auto at = std::lower_bound(points.begin(), points.end(), read_point,
                                   [](const Point& point, Lsn lsn) { return point.vdl < lsn; });
  return at == points.end() ? points.back().tail : at->tail;
}

std::vector<PgTailAt> PgTails::Latest() const {
  std::vector<PgTailAt> latest;
  for (const auto& [pg, points] : groups_) {
    latest.push_back({pg, points.back().tail});
  }
  return latest;
}

}  // namespace borealis::storage_client
