// A small table world for engine tests: rows of fields, a layout that the definition's payload
// describes, and shorthand for what SQL would do.
//
// A row is fields joined by '|'. A table's payload lists, per index, the fields of its key:
// "0;1;2,1" is a clustered index on field 0, an index on field 1 and one on fields 2 and 1. An
// empty field in a unique secondary key stands for NULL.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/os/thread.h"
#include "engine/cursor.h"
#include "engine/engine.h"
#include "engine/row.h"
#include "tests/support/assert_ok.h"
#include "tests/support/memory_volume.h"

namespace borealis::engine::testing {

inline std::vector<std::string> Split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

class FieldLayout : public RowLayout {
 public:
  explicit FieldLayout(const TableDefinition& table) : table_(table) {
    for (const std::string& index : Split(table.payload, ';')) {
      indexes_.emplace_back();
      for (const std::string& field : Split(index, ',')) {
        indexes_.back().push_back(std::stoul(field));
      }
    }
  }

  Status BuildKey(size_t index_no, std::string_view row, IndexKey* out) const override {
    const std::vector<std::string> fields = Split(row, '|');
    out->bytes.clear();
    bool null = false;
    for (size_t field : indexes_.at(index_no)) {
      if (field >= fields.size()) {
        return Status::InvalidArgument("row has too few fields");
      }
      null |= fields[field].empty();
      out->bytes += fields[field];
      out->bytes.push_back('\0');
    }
    out->unique_prefix_size = table_.indexes.at(index_no).unique && !null ? out->bytes.size() : 0;
    return Status::Ok();
  }

  size_t counted_prefixes(size_t index_no) const override {
    const bool whole = index_no == 0 || table_.indexes.at(index_no).unique;
    return indexes_.at(index_no).size() + (whole ? 0 : indexes_.at(0).size());
  }
  Status CountedPrefixEnds(size_t index_no, std::string_view key,
                           std::vector<size_t>* ends) const override {
    ends->clear();
    for (size_t i = 0; i < key.size() && ends->size() < counted_prefixes(index_no); ++i) {
      if (key[i] == '\0') {
        ends->push_back(i + 1);
      }
    }
    return Status::Ok();
  }
  StatisticsOptions statistics_options() const override { return statistics_; }
  // For the tables made from now on.
  static inline StatisticsOptions statistics;

 private:
  const TableDefinition table_;
  const StatisticsOptions statistics_ = statistics;
  std::vector<std::vector<size_t>> indexes_;
};

inline EngineOptions TestOptions(bool background = false) {
  EngineOptions options;
  options.layouts = [](const TableDefinition& table) -> Result<std::shared_ptr<const RowLayout>> {
    return std::shared_ptr<const RowLayout>(std::make_shared<FieldLayout>(table));
  };
  options.buffer_pool_bytes = 16 << 20;
  options.background_threads = background;
  options.lock_wait_timeout_us = 10'000'000;
  return options;
}

inline std::string K(std::string_view field) {
  std::string key(field);
  key.push_back('\0');
  return key;
}

// Names and uniqueness of a table with indexes as in `payload`; those in `unique` are unique.
inline TableDefinition MakeDefinition(std::string name, std::string payload,
                                      std::vector<bool> unique) {
  TableDefinition table;
  table.schema = "test";
  table.name = std::move(name);
  table.payload = std::move(payload);
  for (size_t i = 0; i < unique.size(); ++i) {
    IndexDefinition index;
    index.name = i == 0 ? "PRIMARY" : "k" + std::to_string(i);
    index.unique = unique[i];
    table.indexes.push_back(std::move(index));
  }
  return table;
}

// A session's transaction with its tables.
class Session {
 public:
  Session(Engine* engine, Isolation isolation = Isolation::kRepeatableRead,
          std::function<void(TransactionOptions*)> adjust = nullptr)
      : engine_(engine) {
    TransactionOptions options;
    options.isolation = isolation;
    if (adjust) {
      adjust(&options);
    }
    trx_ = engine_->Begin(std::move(options));
  }

  Transaction& trx() { return *trx_; }
  TableRef Open(const std::string& name) {
    Result<TableRef> table = engine_->OpenTable(*trx_, "test", name, TableUse::kChange);
    EXPECT_TRUE(table.ok()) << table.status().ToString();
    return table.ok() ? *table : nullptr;
  }
  Status Insert(const std::string& table, std::string_view row, DuplicateKey* dup = nullptr) {
    trx_->BeginStatement();
    return engine::Insert(*trx_, *Open(table), row, dup);
  }
  Status Update(const std::string& table, std::string_view key, std::string_view row,
                DuplicateKey* dup = nullptr) {
    trx_->BeginStatement();
    return engine::Update(*trx_, *Open(table), K(key), row, dup);
  }
  Status Delete(const std::string& table, std::string_view key) {
    trx_->BeginStatement();
    return engine::Delete(*trx_, *Open(table), K(key));
  }
  // The row, "-" when there is none, "!code" on another error.
  std::string Get(const std::string& table, std::string_view key, LockMode lock = LockMode::kNone,
                  WaitPolicy wait = WaitPolicy::kWait) {
    trx_->BeginStatement();
    std::string row;
    Status status = engine::Get(*trx_, *Open(table), K(key), lock, wait, &row);
    if (status.Is(Code::kNotFound)) {
      return "-";
    }
    return status.ok() ? row : "!" + std::string(CodeName(status.code()));
  }
  // All rows of an index in order, joined by spaces; "!code" on error.
  std::string Scan(const std::string& table, ScanOptions options = {}) {
    trx_->BeginStatement();
    Result<std::unique_ptr<Cursor>> cursor = OpenCursor(*trx_, Open(table), std::move(options));
    if (!cursor.ok()) {
      return "!" + cursor.status().ToString();
    }
    std::string rows;
    for (;;) {
      Result<bool> more = (*cursor)->Next();
      if (!more.ok()) {
        return "!" + std::string(CodeName(more.status().code()));
      }
      if (!*more) {
        return rows;
      }
      Result<std::string_view> row = (*cursor)->row();
      if (!row.ok()) {
        return "!" + row.status().ToString();
      }
      rows += (rows.empty() ? "" : " ") + std::string(*row);
    }
  }
  Status Commit() { return trx_->CommitAndWait(); }
  Status Rollback() { return trx_->Rollback(); }

 private:
  Engine* const engine_;
  std::unique_ptr<Transaction> trx_;
};

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override { OpenEngine(TestOptions()); }
  void TearDown() override {
    engine_.reset();
    volume_.reset();
  }

  void OpenEngine(EngineOptions options) {
    if (volume_ == nullptr) {
      volume_ = std::make_unique<MemoryVolume>();
    }
    Result<std::unique_ptr<Engine>> engine = Engine::Open(volume_.get(), std::move(options));
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
    if (!engine_->FindSchema("test").ok()) {
      ASSERT_OK(engine_->CreateSchema({"test", ""}, {}));
    }
  }
  // The writer dies with everything appended at storage; a new one opens what it left.
  void Crash() { CrashAt(volume_->appended()); }
  void CrashAt(Lsn lsn) {
    std::unique_ptr<MemoryVolume> copy = volume_->CrashCopy(lsn);
    engine_->Stop();
    engine_.reset();
    volume_ = std::move(copy);
    OpenEngine(TestOptions());
  }

  void Create(const std::string& name, const std::string& payload, std::vector<bool> unique) {
    Result<TableRef> table = engine_->CreateTable(MakeDefinition(name, payload, unique), {});
    ASSERT_TRUE(table.ok()) << table.status().ToString();
  }
  TableRef Table(const std::string& name) {
    Result<TableRef> table = engine_->FindTable("test", name);
    EXPECT_TRUE(table.ok()) << table.status().ToString();
    return table.ok() ? *table : nullptr;
  }
  void Check(const std::string& name) { EXPECT_OK(engine_->CheckTable(*Table(name))); }
  // One autocommitted insert each.
  void Load(const std::string& table, const std::vector<std::string>& rows) {
    Session session(engine_.get());
    for (const std::string& row : rows) {
      ASSERT_OK(session.Insert(table, row));
    }
    ASSERT_OK(session.Commit());
  }
  std::string ScanAll(const std::string& table, size_t index_no = 0) {
    ScanOptions options;
    options.index_no = index_no;
    return Session(engine_.get()).Scan(table, options);
  }
  // Waits until so many transactions wait for row locks.
  void AwaitWaiters(uint64_t count) {
    for (int i = 0; i < 20000 && engine_->counters().row_lock_current_waits < count; ++i) {
      std::this_thread::yield();
    }
    while (engine_->counters().row_lock_current_waits < count) {
    }
  }

  std::unique_ptr<MemoryVolume> volume_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace borealis::engine::testing
