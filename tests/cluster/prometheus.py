"""A strict reader of Prometheus' text format 0.0.4: what Prometheus would take silently is refused here as well."""
import re
import urllib.request

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ([^ ]+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


def scrape(port: int) -> dict:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers
        return parse(answer.read().decode())


def total(values, name, **labels) -> float:
    """The sum of all series of `name` that have these labels."""
    found = [value for (sample, have), value in values.items() if sample == name and set(labels.items()) <= set(have)]
    assert found, f"no {name} {labels}"
    return sum(found)


def labels_of(text) -> tuple:
    labels, at = {}, 0
    while text and at < len(text):
        match = LABEL.match(text, at)
        assert match and match[1] not in labels, f"labels {text}"
        labels[match[1]] = match[2]
        at = match.end()
        assert match[3] == "," or at == len(text), f"labels {text}"
    return tuple(sorted(labels.items()))


def parse(text: str) -> dict:
    """Values by (name, labels); raises for anything that is not exactly as it should be."""
    values, types, helped, current = {}, {}, set(), None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert name not in helped and words.endswith("."), line
            helped.add(name)
            current = name
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == current and name not in types and kind in ("counter", "gauge", "histogram"), line
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"not a sample: {line!r}"
            name, labels, value = match[1], labels_of(match[2]), float(match[3])
            kind = types[current]
            assert name in [current + suffix for suffix in SUFFIXES.get(kind, ("",))], f"{name} stands under {current}"
            assert (name, labels) not in values, f"twice: {line}"
            assert value >= 0 and value == value, line
            values[name, labels] = value
    for name, kind in types.items():
        assert re.fullmatch(r"borealis_[a-z0-9_]+", name), name
        assert name.endswith("_total") == (kind == "counter"), f"{name} is a {kind}"
        assert any(key[0].startswith(name) for key in values), f"{name} has no sample"
        if kind == "histogram":
            check_histogram(name, values)
    return values


def check_histogram(name, values):
    """Buckets of each series ascend, end with +Inf, and agree with the count."""
    series = {}
    for (sample, labels), value in values.items():
        if sample == name + "_bucket":
            bound = dict(labels)["le"]
            series.setdefault(tuple(label for label in labels if label[0] != "le"), []).append((float(bound), value))
    assert series, name
    for labels, buckets in series.items():
        assert buckets == sorted(buckets) and [count for _, count in buckets] == sorted(count for _, count in buckets), f"{name} {labels}"
        assert buckets[-1][0] == float("inf") and buckets[-1][1] == values[name + "_count", labels], f"{name} {labels}"
        assert (name + "_sum", labels) in values
