#include "engine/sorted_runs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/coding.h"
#include "base/fault.h"
#include "base/os/random.h"

namespace borealis::engine {

namespace {

constexpr size_t kChunk = size_t{64} << 10;

// The first bytes of a key as a number of the same order.
uint64_t HeadOf(std::string_view key) {
  char head[sizeof(uint64_t)] = {};
  key.copy(head, sizeof head);
  return LoadBig<uint64_t>(head);
}

void AppendPair(std::string* to, std::string_view key, std::string_view value) {
  AppendSized(to, key);
  AppendSized(to, value);
}

// Writes pairs to the end of a file, some at a time.
class RunWriter {
 public:
  RunWriter(File* file, uint64_t at) : file_(file), at_(at) {}
  Status Add(std::string_view key, std::string_view value) {
    AppendPair(&buffer_, key, value);
    return buffer_.size() < kChunk ? Status::Ok() : Flush();
  }
  Status Flush() {
    RETURN_IF_ERROR(file_->WriteAt(at_, buffer_));
    at_ += buffer_.size();
    buffer_.clear();
    return Status::Ok();
  }
  uint64_t at() const { return at_; }

 private:
  File* const file_;
  uint64_t at_;
  std::string buffer_;
};

}  // namespace

Result<std::unique_ptr<File>> OpenTemporaryFile(const std::string& directory) {
  std::string name;
  for (const char byte : SecureRandomBytes(12)) {
    fmt::format_to(std::back_inserter(name), "{:02x}", static_cast<uint8_t>(byte));
  }
  const std::string path = directory + "/borealis-" + name + ".tmp";
  FileSystem& files = RealFileSystem();
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.Open(path, FileSystem::Mode::kCreatePrivate));
  RETURN_IF_ERROR(files.Remove(path));
  return file;
}

class SortedRuns::MemoryReader final : public Reader {
 public:
  explicit MemoryReader(const SortedRuns* runs) : runs_(runs) {}
  Result<bool> Next() override { return next_++ < runs_->items_.size(); }
  std::string_view key() const override { return runs_->KeyOf(runs_->items_[next_ - 1]); }
  std::string_view value() const override { return runs_->ValueOf(runs_->items_[next_ - 1]); }

 private:
  const SortedRuns* const runs_;
  size_t next_ = 0;
};

// The pairs of one run of the file.
class SortedRuns::RunReader final : public Reader {
 public:
  RunReader(File* file, Run run) : file_(file), at_(run.begin), end_(run.end) {}

  Result<bool> Next() override {
    for (;;) {
      ByteReader reader(std::string_view(buffer_).substr(used_));
      const std::string_view key = reader.Sized();
      const std::string_view value = reader.Sized();
      if (reader.ok()) {
        key_ = key;
        value_ = value;
        used_ = buffer_.size() - reader.rest().size();
        return true;
      }
      if (at_ == end_) {
        if (used_ != buffer_.size()) {
          return Status::Corruption("sorted run ends within a pair");
        }
        return false;
      }
      RETURN_IF_ERROR(Refill());
    }
  }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }

 private:
  Status Refill() {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(kChunk, end_ - at_));
    std::string more;
    RETURN_IF_ERROR(file_->ReadAt(at_, size, &more));
    if (more.size() != size) {
      return Status::Corruption("sorted run is cut short");
    }
    buffer_.erase(0, used_);
    used_ = 0;
    buffer_ += more;
    at_ += size;
    return Status::Ok();
  }

  File* const file_;
  uint64_t at_;  // of what comes after the buffer
  const uint64_t end_;
  std::string buffer_;
  size_t used_ = 0;
  std::string_view key_;
  std::string_view value_;
};

class SortedRuns::MergeReader final : public Reader {
 public:
  explicit MergeReader(std::vector<std::unique_ptr<Reader>> inputs) : inputs_(std::move(inputs)) {}

  Result<bool> Next() override {
    if (!started_) {
      started_ = true;
      for (const auto& input : inputs_) {
        ASSIGN_OR_RETURN(const bool more, input->Next());
        if (more) {
          heap_.push_back(input.get());
        }
      }
      std::make_heap(heap_.begin(), heap_.end(), After);
      return !heap_.empty();
    }
    if (heap_.empty()) {
      return false;
    }
    // The least was given out: its input moves on.
    std::pop_heap(heap_.begin(), heap_.end(), After);
    ASSIGN_OR_RETURN(const bool more, heap_.back()->Next());
    if (more) {
      std::push_heap(heap_.begin(), heap_.end(), After);
    } else {
      heap_.pop_back();
    }
    return !heap_.empty();
  }
  std::string_view key() const override { return heap_.front()->key(); }
  std::string_view value() const override { return heap_.front()->value(); }

 private:
  static bool After(const Reader* a, const Reader* b) { return a->key() > b->key(); }

  std::vector<std::unique_ptr<Reader>> inputs_;
  std::vector<Reader*> heap_;
  bool started_ = false;
};

Status SortedRuns::Add(std::string_view key, std::string_view value) {
  items_.push_back({HeadOf(key), bytes_.size(), static_cast<uint32_t>(key.size()),
                    static_cast<uint32_t>(value.size())});
  bytes_.append(key);
  bytes_.append(value);
  ++count_;
  return bytes_.size() + items_.size() * sizeof(Item) < memory_bytes_ ? Status::Ok() : Spill();
}

void SortedRuns::SortItems() {
  std::sort(items_.begin(), items_.end(), [this](const Item& a, const Item& b) {
    return a.head != b.head ? a.head < b.head : KeyOf(a) < KeyOf(b);
  });
}

Status SortedRuns::Spill() {
  COVER("sorted_runs.spilled");
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(file_, OpenTemporaryFile(directory_));
  }
  SortItems();
  RunWriter writer(file_.get(), file_end_);
  for (const Item& item : items_) {
    RETURN_IF_ERROR(writer.Add(KeyOf(item), ValueOf(item)));
  }
  RETURN_IF_ERROR(writer.Flush());
  runs_.push_back({file_end_, writer.at()});
  file_end_ = writer.at();
  items_.clear();
  bytes_.clear();
  return Status::Ok();
}

Result<std::unique_ptr<SortedRuns::Reader>> SortedRuns::Merge(size_t first, size_t count) {
  std::vector<std::unique_ptr<Reader>> inputs;
  for (size_t i = first; i < first + count; ++i) {
    inputs.push_back(std::make_unique<RunReader>(file_.get(), runs_[i]));
  }
  return std::unique_ptr<Reader>(std::make_unique<MergeReader>(std::move(inputs)));
}

Status SortedRuns::MergeSome() {
  while (runs_.size() > kMergedAtOnce) {
    COVER("sorted_runs.merged_runs");
    RunWriter writer(file_.get(), file_end_);
    {
      ASSIGN_OR_RETURN(std::unique_ptr<Reader> reader, Merge(0, kMergedAtOnce));
      for (;;) {
        ASSIGN_OR_RETURN(const bool more, reader->Next());
        if (!more) {
          break;
        }
        RETURN_IF_ERROR(writer.Add(reader->key(), reader->value()));
      }
    }
    RETURN_IF_ERROR(writer.Flush());
    runs_.erase(runs_.begin(), runs_.begin() + kMergedAtOnce);
    runs_.push_back({file_end_, writer.at()});
    file_end_ = writer.at();
  }
  return Status::Ok();
}

Result<std::unique_ptr<SortedRuns::Reader>> SortedRuns::Read() {
  if (file_ == nullptr) {
    if (!sorted_) {
      SortItems();
      sorted_ = true;
    }
    return std::unique_ptr<Reader>(std::make_unique<MemoryReader>(this));
  }
  if (!items_.empty()) {
    RETURN_IF_ERROR(Spill());
  }
  RETURN_IF_ERROR(MergeSome());
  return Merge(0, runs_.size());
}

}  // namespace borealis::engine
