// The allocator's relation to the system: how much it keeps for itself. Thread-safe.
#pragma once

namespace borealis {

// Few arenas: memory that one thread has freed serves the others. Call once, before any thread.
void LimitAllocatorArenas();
// Gives memory that is free in the allocator back to the system. Takes a millisecond or so; does
// nothing when it did a moment ago.
void ReturnFreeMemory();

}  // namespace borealis
