// The driver of all fuzz binaries: mutation, repetition, and the report of a failure.
//
//   fuzz_X [--seed S] [--seconds T] [--first N] [--count M] [--input FILE]
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/os/random.h"
#include "base/os/time.h"
#include "tests/fuzz/fuzz.h"

// Sanitizers call this before they end the process; absent without them.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace borealis::fuzz {

namespace {

constexpr size_t kInputSizeMax = 1 << 20;
constexpr unsigned kHangSeconds = 60;
constexpr uint64_t kMixer = 0x9e3779b97f4a7c15;

struct Running {
  uint64_t seed = 0;
  uint64_t number = 0;
  const std::string* input = nullptr;
  bool reported = false;
};
Running running;

// Called while the process dies: only what is safe then.
void Report() {
  if (running.input == nullptr || running.reported) {
    return;
  }
  running.reported = true;
  char name[64];
  std::snprintf(name, sizeof name, "fuzz-failure-%llu-%llu.bin",
                static_cast<unsigned long long>(running.seed),
                static_cast<unsigned long long>(running.number));
  char text[256];
  const int size =
      std::snprintf(text, sizeof text,
                    "\nfailing input: --seed %llu --first %llu --count 1; %zu bytes "
                    "in %s\n",
                    static_cast<unsigned long long>(running.seed),
                    static_cast<unsigned long long>(running.number), running.input->size(), name);
  ssize_t ignored = write(STDERR_FILENO, text, static_cast<size_t>(size));
  const int file = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (file >= 0) {
    ignored = write(file, running.input->data(), running.input->size());
    close(file);
  }
  (void)ignored;
}

void OnSignal(int signal_number) {
  Report();
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

void CatchFailures() {
  std::signal(SIGABRT, OnSignal);
  std::signal(SIGALRM, OnSignal);
  if (&__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(Report);
    return;  // the sanitizer reports the other signals better
  }
  for (const int signal_number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal_number, OnSignal);
  }
}

class Mutator {
 public:
  Mutator(std::vector<std::string> seeds, std::vector<std::string> dictionary)
      : seeds_(std::move(seeds)), dictionary_(std::move(dictionary)) {}

  std::string Make(Random& random) const {
    std::string input = Pick(seeds_, random);
    if (random.Chance(0.02)) {
      return input;
    }
    for (uint64_t changes = 1 + random.Below(random.Chance(0.7) ? 3 : 12); changes > 0; --changes) {
      Change(&input, random);
    }
    if (input.size() > kInputSizeMax) {
      input.resize(kInputSizeMax);
    }
    return input;
  }

 private:
  static const std::string& Pick(const std::vector<std::string>& from, Random& random) {
    return from[random.Below(from.size())];
  }

  // Small, large, or near a power of two: what counts, sizes and offsets trip over.
  static uint64_t Number(Random& random) {
    switch (random.Below(4)) {
      case 0:
        return random.Below(20);
      case 1:
        return ~random.Below(20);
      case 2:
        return (uint64_t{1} << random.Below(64)) + random.Below(3) - 1;
      default:
        return random.Next();
    }
  }

  void Change(std::string* input, Random& random) const {
    const size_t at = random.Below(input->size() + 1);
    const size_t span = 1 + random.Below(random.Chance(0.8) ? 8 : 200);
    switch (random.Below(9)) {
      case 0:
        if (at < input->size()) {
          (*input)[at] = static_cast<char>((*input)[at] ^ (1 << random.Below(8)));
        }
        return;
      case 1:
        if (at < input->size()) {
          (*input)[at] = static_cast<char>(random.Below(256));
        }
        return;
      case 2: {  // overwrite a field of 1, 2, 4 or 8 bytes
        const uint64_t number = Number(random);
        const size_t width = size_t{1} << random.Below(4);
        if (at + width <= input->size()) {
          std::memcpy(input->data() + at, &number, width);
        }
        return;
      }
      case 3:
        input->erase(at, span);
        return;
      case 4:
        input->insert(at, std::string(span, static_cast<char>(random.Below(256))));
        return;
      case 5:
        input->insert(at, input->substr(random.Below(input->size() + 1), span));
        return;
      case 6: {
        const std::string& other = Pick(seeds_, random);
        input->insert(at, other.substr(random.Below(other.size() + 1), span * 4));
        return;
      }
      case 7:
        if (!dictionary_.empty()) {
          input->insert(at, Pick(dictionary_, random));
        }
        return;
      default:
        if (random.Chance(0.3)) {
          input->resize(at);
        } else if (at < input->size()) {
          std::swap((*input)[at], (*input)[random.Below(input->size())]);
        }
    }
  }

  const std::vector<std::string> seeds_;
  const std::vector<std::string> dictionary_;
};

void RunOne(Target& target, const std::string& input) {
  running.input = &input;
  // A copy of exactly this size, so that a sanitizer sees a read past its end.
  const std::vector<char> exact(input.begin(), input.end());
  target.Run({exact.data(), exact.size()});
  running.input = nullptr;
}

uint64_t Argument(int argc, char** argv, const char* name, uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) {
      return std::strtoull(argv[i + 1], nullptr, 10);
    }
  }
  return otherwise;
}

int Main(int argc, char** argv) {
  Target& target = TheTarget();
  CatchFailures();
  if (argc == 3 && std::strcmp(argv[1], "--input") == 0) {
    std::ifstream file(argv[2], std::ios::binary);
    RunOne(target, std::string(std::istreambuf_iterator<char>(file), {}));
    return 0;
  }
  running.seed = Argument(argc, argv, "--seed", 1);
  const uint64_t first = Argument(argc, argv, "--first", 0);
  const uint64_t count = Argument(argc, argv, "--count", ~uint64_t{0});
  const int64_t end_us = SystemClock().NowUs() +
                         static_cast<int64_t>(Argument(argc, argv, "--seconds", 3)) * 1'000'000;

  const std::vector<std::string> seeds = target.Seeds();
  FUZZ_CHECK(!seeds.empty(), "no seeds");
  for (const std::string& seed : seeds) {
    RunOne(target, seed);
  }
  const Mutator mutator(seeds, target.Dictionary());
  uint64_t done = 0;
  for (; done < count && (SystemClock().NowUs() < end_us || count != ~uint64_t{0}); ++done) {
    running.number = first + done;
    if (done % 64 == 0) {
      alarm(kHangSeconds);
    }
    Random random(running.seed * kMixer + running.number);
    std::string input = mutator.Make(random);
    if (random.Chance(0.8)) {
      target.Repair(&input);
    }
    RunOne(target, input);
  }
  std::printf("seed %llu: %llu inputs from %zu seeds\n",
              static_cast<unsigned long long>(running.seed), static_cast<unsigned long long>(done),
              seeds.size());
  return 0;
}

}  // namespace

void Fail(const char* file, int line, const std::string& what) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
  std::abort();
}

}  // namespace borealis::fuzz

int main(int argc, char** argv) {
  return borealis::fuzz::Main(argc, argv);
}
