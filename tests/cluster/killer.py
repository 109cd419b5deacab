"""kill -9 of random single processes of a cluster, in an order that a seed decides."""
import os
import signal
import subprocess
import threading
import time

WEIGHTS = {"storage": 5, "writer": 2, "reader": 2, "control": 1, "endpoint": 1}


def victim_of(cluster, kind, chance):
    """(name, pid) of a running process of that kind; None when there is none at the moment."""
    try:
        status = cluster.status()
    except (RuntimeError, subprocess.TimeoutExpired):
        return None  # control is down just now
    candidates = {
        "storage": status["storage_nodes"],
        "writer": [i for i in status["instances"] if i["role"] == "writer"],
        "reader": [i for i in status["instances"] if i["role"] == "reader"],
        "control": [{"id": "control", **status["control"]}],
        "endpoint": [{"id": "endpoint", **status["endpoint_process"]}],
    }[kind]
    alive = [(c["id"], c["pid"]) for c in candidates if c["pid"]]
    if kind == "storage" and len(alive) < len(candidates) - 1:
        return None  # two are down already: a third would stop writes, which is another drill
    return chance.choice(alive) if alive else None


def kill_one(cluster, chance, weights=None):
    """Kills a random process; (kind, name), or None when there was none of the kind that came up. A control that was killed is
    started again."""
    weights = weights or WEIGHTS
    kind = chance.choices(list(weights), list(weights.values()))[0]
    victim = victim_of(cluster, kind, chance)
    if victim is None:
        return None
    name, pid = victim
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    if kind == "control":
        time.sleep(chance.uniform(0, 2))
        cluster.up()
    return kind, name


class Killer:
    """Kills in a thread, `every` (shortest, longest) seconds, from start() to stop()."""

    def __init__(self, cluster, chance, every=(0.2, 2.5), weights=None):
        self.cluster, self.chance, self.every, self.weights = cluster, chance, every, weights
        self.killed = {}
        self.failure = None
        self.stopping = threading.Event()

    def start(self):
        self.stopping.clear()
        self.thread = threading.Thread(target=self._kill, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join(300)
        assert not self.thread.is_alive(), "the killer hangs"
        if self.failure:
            raise self.failure

    def _kill(self):
        try:
            while not self.stopping.wait(self.chance.uniform(*self.every)):
                killed = kill_one(self.cluster, self.chance, self.weights)
                if killed:
                    kind, name = killed
                    self.killed[kind] = self.killed.get(kind, 0) + 1
                    print(f"{time.strftime('%H:%M:%S')} killed {name}{' (writer)' if kind == 'writer' else ''}", flush=True)
        except Exception as failure:  # told by stop()
            self.failure = failure
