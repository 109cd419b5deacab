"""A network of its own for each process of a cluster, so that a drill can cut any of them off from any other.

Every storage node and instance lives in a network namespace with an address of its own, all on one bridge; control, the endpoints and the
drill's clients have the bridge's address. A process gets into its namespace by itself, before main(): disk_faults.cc, which is loaded for
such a cluster anyway. What the product sees is a cluster.json with a host for each process.

A cut is one-way: packets from A to B are sent to a hardware address that nobody has, and are lost without a word, as in a network that
drops them. So connections that exist hang half-open, and new ones are not refused but time out.

Needs root and network namespaces; where they are not to be had, `available()` says why and the drill is skipped with SKIPPED.
"""
import json
import os
import pathlib
import secrets
import subprocess

from cluster import free_port

SKIPPED = 77  # CTest's SKIP_RETURN_CODE of such drills
NOBODY = "02:00:00:00:de:ad"


def ip(*words, check=True):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20)
    if check and done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr}")
    return done


def available() -> str:
    """Why there can be no such network on this machine; empty when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"bt{secrets.token_hex(3)}"
    try:
        for words in (["netns", "add", name], ["link", "add", name, "type", "bridge"]):
            done = ip(*words, check=False)
            if done.returncode != 0:
                return f"ip {' '.join(words)}: {done.stderr.strip()}"
    except FileNotFoundError:
        return "there is no program 'ip'"
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
        subprocess.run(["ip", "link", "del", name], capture_output=True)
    return ""


class Network:
    """Use with `with`; give it to a Cluster together with Faults."""

    def __init__(self, faults, instances=2, storage_nodes=6):
        self.faults = faults
        self.tag = secrets.token_hex(2)
        # Of 10.0.0.0/8 by chance: several drills may run on a machine.
        self.prefix = f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"
        self.bridge = f"bb{self.tag}"
        self.own_address = f"{self.prefix}.1"
        self.addresses = {"control": self.own_address}  # and of the endpoints, and the clients
        for number in range(1, storage_nodes + 1):
            self.addresses[f"storage-{number}"] = f"{self.prefix}.{10 + number}"
        for number in range(1, instances + 1):
            self.addresses[f"instance-{number}"] = f"{self.prefix}.{100 + number}"
        self.cuts = set()

    def __enter__(self):
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.own_address}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for name, address in self.addresses.items():
            if name == "control":
                continue
            space, outer, inner = self.space(name), f"o{self.tag}{address.split('.')[-1]}", "eth0"
            ip("netns", "add", space)
            ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space)
            ip("link", "set", outer, "master", self.bridge, "up")
            ip("-n", space, "addr", "add", f"{address}/24", "dev", inner)
            ip("-n", space, "link", "set", inner, "up")
            ip("-n", space, "link", "set", "lo", "up")
            (self.faults.directory / f"{name}.netns").write_text(f"/var/run/netns/{space}")
        return self

    def __exit__(self, *_):
        for name in self.addresses:
            if name != "control":
                ip("netns", "del", self.space(name), check=False)
        ip("link", "del", self.bridge, check=False)

    def space(self, name):
        return f"b{self.tag}-{name}"

    def lay_out(self, cluster):
        """Writes the cluster's cluster.json, which `cluster up` continues from."""
        password = pathlib.Path(cluster.directory) / "password"
        password.write_text("of the drill\n")
        cluster.password = "of the drill"
        nodes = [n for n in self.addresses if n.startswith("storage-")]
        config = {
            "directory_version": 2, "host": self.own_address, "cluster_port": cluster.port, "reader_port": cluster.reader_port,
            "control_port": free_port(), "endpoint_admin_port": free_port(), "control_metrics_port": free_port(), "endpoint_metrics_port": free_port(),
            "buffer_pool_bytes": 64 << 20, "pages_per_pg": int((cluster.pg_size or "16MiB").removesuffix("MiB")) * 64, "volume_made": 0, "root_password_file": str(password), "options": {},
            "storage_nodes": [{"id": name, "number": i + 1, "az": f"az{i * 3 // len(nodes) + 1}", "host": self.addresses[name], "port": free_port(),
                               "metrics_port": free_port()} for i, name in enumerate(nodes)],
            "instances": [{"id": name, "tier": 1, "host": self.addresses[name], "port": free_port(), "admin_port": free_port(), "metrics_port": free_port()}
                          for name in self.addresses if name.startswith("instance-")]}
        (pathlib.Path(cluster.directory) / "cluster.json").write_text(json.dumps(config))

    def _neighbour(self, source, verb, target, *words):
        device, inside = (self.bridge, []) if source == "control" else ("eth0", ["-n", self.space(source)])
        ip(*inside, "neigh", verb, self.addresses[target], *words, "dev", device)

    def cut(self, sources, targets, both_ways=True):
        """Nothing gets from any of `sources` to any of `targets` any more, nor back if `both_ways`."""
        for source in sources:
            for target in targets:
                for one, other in ((source, target), (target, source)) if both_ways else ((source, target),):
                    if one != other and (one, other) not in self.cuts:
                        self._neighbour(one, "replace", other, "lladdr", NOBODY, "nud", "permanent")
                        self.cuts.add((one, other))

    def isolate(self, names, both_ways=True):
        """These are cut off from all others, and not from each other."""
        self.cut(names, [name for name in self.addresses if name not in names], both_ways)

    def heal(self):
        for one, other in self.cuts:
            self._neighbour(one, "del", other)
        self.cuts.clear()
