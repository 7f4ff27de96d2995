"""Recorded traffic, cut as `benches/src/detection/data.rs` cuts it; `zt-bench` compares the ids of all requests."""

import gzip
import json
import os


def load(folder, name):
    """Events that are learned and events that are tested."""
    if name in ("ATRDF", "FUR-API"):
        events = read(folder, {"ATRDF": "atrdf", "FUR-API": "fur_api"}[name])
        cut = len(events) * 6 // 10
        return [event for event in events[:cut] if not is_attack(event)], events[cut:]
    learned, attacks = read(folder, "csic_train_normal"), read(folder, "csic_dev_attack")
    if name == "CSIC, 1 % attacks":
        learned, attacks = contaminated(learned, attacks)
    elif name != "CSIC":
        raise ValueError(f"no split `{name}`")
    return learned, read(folder, "csic_dev_normal") + attacks


def is_attack(event):
    return event["label"] != "normal"


def contaminated(normal, attacks):
    """An attack behind every hundred normal requests, and the attacks that are left."""
    learned, taken = [], set()
    for number, event in enumerate(normal):
        learned.append(event)
        picked = number // 100 * 37 % len(attacks)
        if (number + 1) % 100 == 0 and picked not in taken:
            taken.add(picked)
            learned.append(attacks[picked])
    return learned, [event for at, event in enumerate(attacks) if at not in taken]


def read(folder, name):
    with gzip.open(os.path.join(folder, f"{name}.jsonl.gz"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
