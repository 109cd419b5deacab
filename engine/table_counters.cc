// Counters of tables: hidden row ids and auto-increment.
//
// Both are kept in memory with a bound in the volume that is raised ahead of them, so that a crash
// skips numbers and never repeats one.
#include <algorithm>
#include <limits>

#include "base/mysql_error.h"
#include "engine/engine_impl.h"
#include "engine/store/space.h"
#include "engine/table_trees.h"

namespace borealis::engine {

namespace {
constexpr int kRowIdSlot = 3;  // slot of the volume header
constexpr uint64_t kRowIdStep = 1024;
// How far the auto-increment bound is raised ahead of what has been given.
constexpr uint64_t kAutoIncrementStep = 32;
}  // namespace

Result<uint64_t> EngineImpl::NextRowId(const Table&) {
  uint64_t id = next_row_id_.fetch_add(1);
  if (id < row_id_bound_.load()) {
    return id;
  }
  MutexLock lock(row_id_mutex_);
  if (row_id_bound_.load() == 0) {
    Mtr mtr(store_.get());
    ASSIGN_OR_RETURN(uint64_t bound, Space::GetSlot(&mtr, kRowIdSlot));
    next_row_id_.store(std::max<uint64_t>(bound, 1));
    row_id_bound_.store(std::max<uint64_t>(bound, 1));
  }
  id = next_row_id_.fetch_add(1);
  if (id >= row_id_bound_.load()) {
    Mtr mtr(store_.get());
    RETURN_IF_ERROR(mtr.StartWriting());
    RETURN_IF_ERROR(Space::SetSlot(&mtr, kRowIdSlot, id + kRowIdStep));
    mtr.Commit();
    row_id_bound_.store(id + kRowIdStep);
  }
  return id;
}

namespace {

Status LoadCounter(Dictionary& dictionary, TableId table, TableState& state) {
  if (!state.auto_increment_loaded) {
    ASSIGN_OR_RETURN(uint64_t bound, dictionary.ReadCounter(table));
    state.auto_increment_next = bound;
    state.auto_increment_bound = bound;
    state.auto_increment_loaded = true;
  }
  return Status::Ok();
}

// Makes `next` the next number, durably ahead of its use: the row that carries a number commits
// later in the log than the bound.
Status RaiseCounter(Dictionary& dictionary, TableId table, TableState& state, uint64_t next) {
  if (next > state.auto_increment_bound) {
    const uint64_t room = std::numeric_limits<uint64_t>::max() - next;
    const uint64_t bound = next + std::min(room, kAutoIncrementStep);
    RETURN_IF_ERROR(dictionary.WriteCounter(table, bound));
    state.auto_increment_bound = bound;
  }
  state.auto_increment_next = next;
  return Status::Ok();
}

}  // namespace

Result<uint64_t> EngineImpl::ReserveAutoIncrement(const Table& table, uint64_t count,
                                                  uint64_t offset, uint64_t increment) {
  TableState& state = table.state();
  increment = std::max<uint64_t>(increment, 1);
  // As MySQL: an offset above the increment counts for nothing.
  offset = offset > increment ? 1 : std::max<uint64_t>(offset, 1);
  MutexLock lock(state.mutex);
  RETURN_IF_ERROR(LoadCounter(core_.dictionary, table.id(), state));
  uint64_t first = offset;
  if (state.auto_increment_next > offset) {
    const uint64_t steps = (state.auto_increment_next - offset + increment - 1) / increment;
    first = offset + steps * increment;
    if (first < state.auto_increment_next) {
      return Status::NoSpace("auto-increment counter is exhausted");
    }
  }
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  const uint64_t span = std::max<uint64_t>(count, 1);
  const uint64_t next = span > (most - first) / increment ? most : first + span * increment;
  // The counter stands right after the last number given, as InnoDB's does.
  const uint64_t after = next == most ? most : next - increment + 1;
  RETURN_IF_ERROR(RaiseCounter(core_.dictionary, table.id(), state, after));
  return first;
}

Status EngineImpl::BumpAutoIncrement(const Table& table, uint64_t seen) {
  TableState& state = table.state();
  MutexLock lock(state.mutex);
  RETURN_IF_ERROR(LoadCounter(core_.dictionary, table.id(), state));
  if (seen < state.auto_increment_next) {
    return Status::Ok();
  }
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  return RaiseCounter(core_.dictionary, table.id(), state, seen == most ? most : seen + 1);
}

Status EngineImpl::SetAutoIncrement(const Table& table, uint64_t next) {
  TableState& state = table.state();
  MutexLock lock(state.mutex);
  RETURN_IF_ERROR(core_.dictionary.WriteCounter(table.id(), next));
  state.auto_increment_loaded = true;
  state.auto_increment_next = next;
  state.auto_increment_bound = next;
  return Status::Ok();
}

Result<uint64_t> EngineImpl::PeekAutoIncrement(const Table& table) {
  TableState& state = table.state();
  if (store_->is_replica()) {
    return core_.dictionary.ReadCounter(table.id());
  }
  MutexLock lock(state.mutex);
  RETURN_IF_ERROR(LoadCounter(core_.dictionary, table.id(), state));
  return state.auto_increment_next;
}

void EngineImpl::SaveAutoIncrement() {
  for (const auto& [id, state] : core_.dictionary.ListStates()) {
    MutexLock lock(state->mutex);
    if (state->auto_increment_loaded && state->auto_increment_bound != state->auto_increment_next &&
        core_.dictionary.WriteCounter(id, state->auto_increment_next).ok()) {
      state->auto_increment_bound = state->auto_increment_next;
    }
  }
}

}  // namespace borealis::engine
