// The signals that ask a process to stop.
#pragma once

namespace borealis {

// Blocks SIGTERM and SIGINT in this thread and those it starts, and ignores SIGPIPE. Call first.
void BlockStopSignals();
// Waits for one of them and returns it.
int WaitForStopSignal();
// Sends ourselves SIGTERM, so that WaitForStopSignal returns: an orderly stop from inside.
void RequestStop();

}  // namespace borealis
