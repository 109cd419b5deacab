// Files of a storage node as text, for `borealis inspect`: journal files, layers, the manifest.
//
// Tolerant of damage: what does not verify is said so, with its place, and the rest is shown.
#pragma once

#include <functional>
#include <string_view>

namespace borealis::storage_node {

// Takes one line at a time, without its end.
using LineSink = std::function<void(std::string_view line)>;

struct InspectOptions {
  bool records = true;  // each record or entry, not only batches and blocks
};

// `bytes` is the whole file. Batches of an earlier use of the file are told apart by their number.
void InspectJournal(std::string_view bytes, const InspectOptions& options, const LineSink& sink);
void InspectLayer(std::string_view bytes, const InspectOptions& options, const LineSink& sink);
void InspectManifest(std::string_view bytes, const LineSink& sink);

}  // namespace borealis::storage_node
