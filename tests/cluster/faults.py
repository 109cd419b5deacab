"""Bad disks for storage nodes of a cluster: the control files of disk_faults.cc, whose head says what a rule is."""
import os
import pathlib
import tempfile

ENOSPC, EIO = 28, 5


class Faults:
    def __init__(self):
        binary = pathlib.Path(os.environ.get("BOREALIS", "build/release/borealis")).resolve()
        self.library = os.environ.get("DISK_FAULTS", str(binary.parent / "tests/cluster/libdisk_faults.so"))
        assert pathlib.Path(self.library).exists(), f"no {self.library}: build the target disk_faults"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="borealis-faults-"))

    def environment(self):
        return {**os.environ, "LD_PRELOAD": self.library, "BOREALIS_TEST_FAULTS": str(self.directory)}

    def set(self, node, *rules):
        """The rules for a node's disk from now on; none: it is a good disk again."""
        fresh = self.directory / f"{node}.fresh"
        fresh.write_text("\n".join(rules) + "\n")
        fresh.rename(self.directory / f"{node}.faults")

    def clear(self, node):
        self.set(node)

    def hits(self, node) -> int:
        """How many calls the rules of a node have touched."""
        path = self.directory / f"{node}.hits"
        return sum(int(line) for line in path.read_text().split()) if path.exists() else 0
