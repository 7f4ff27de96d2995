"""`detect.py FOLDER SPLIT...`: what other detectors say of recorded requests, once they have learned normal ones.

Prints one JSON document, scores by detector; `cargo xtask bench detection` reads it. How far it is goes to standard error."""

import importlib
import json
import math
import sys
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from splits import is_attack, load

# Tested by what takes many milliseconds a request: so many normal requests, and so many attacks.
SLOW = 1_000


def isolation_forest(learned):
    """In one batch."""
    ensemble = importlib.import_module("sklearn.ensemble")
    forest = ensemble.IsolationForest(n_estimators=100, random_state=1).fit(learned)
    return lambda tested: -forest.score_samples(tested)


def by_river(detector, learned):
    for point in as_dicts(learned):
        detector.learn_one(point)
    return lambda tested: [detector.score_one(point) for point in as_dicts(tested)]


def half_space_trees(learned):
    """On features between 0 and 1, as it wants them."""
    anomaly = importlib.import_module("river.anomaly")
    low, high = learned.min(axis=0), learned.max(axis=0)
    wide = (high - low) + (high == low)
    scaled = lambda points: 0.1 + 0.8 * (points - low) / wide
    score = by_river(anomaly.HalfSpaceTrees(n_trees=25, height=8, window_size=250, seed=1), scaled(learned))
    return lambda tested: score(scaled(tested))


def loda(learned):
    anomaly = importlib.import_module("river.anomaly")
    return by_river(anomaly.LODA(n_bins=10, n_random_cuts=100, seed=1), learned)


def of_krcf(learned):
    krcf = importlib.import_module("krcf")
    options = {"dimensions": learned.shape[1], "shingle_size": 1, "num_trees": 50, "sample_size": 256, "random_seed": 1,
               "parallel_execution_enabled": False, "output_after": 1}
    forest = krcf.RandomCutForest(options)
    for point in learned.tolist():
        forest.update(point)
    return forest


def krcf_score(learned):
    forest = of_krcf(learned)
    return lambda tested: [forest.score(point) for point in tested.tolist()]


def krcf_displacement(learned):
    forest = of_krcf(learned)
    return lambda tested: [forest.displacement_score(point) for point in tested.tolist()]


def robust_random_cut(learned):
    """Trees of random samples; a request is inserted into each, and taken out again. The trees round what they are made of,
    and would not know a request again that is not rounded likewise."""
    numpy, rrcf = importlib.import_module("numpy"), importlib.import_module("rrcf")
    random = numpy.random.RandomState(1)
    sample, learned = min(256, len(learned)), numpy.around(learned, 9)
    trees = [rrcf.RCTree(learned[random.choice(len(learned), sample, replace=False)], random_state=number)
             for number in range(50)]

    def displaced(tree, point):
        tree.insert_point(point, index="asked")
        displacement = tree.codisp("asked")
        tree.forget_point("asked")
        return displacement

    return lambda tested: [sum(displaced(tree, point) for tree in trees) / len(trees)
                           for point in numpy.around(tested, 9)]


# Package, its module, what of it, how it learns, and whether it is slow.
DETECTORS = [
    ("scikit-learn", "sklearn.ensemble", " IForest", isolation_forest, False),
    ("river", "river.anomaly", " HST", half_space_trees, False),
    ("river", "river.anomaly", " LODA", loda, False),
    ("krcf", "krcf", "", krcf_score, False),
    ("krcf", "krcf", " displacement", krcf_displacement, False),
    ("rrcf", "rrcf", "", robust_random_cut, True),
]


def as_dicts(points):
    return [dict(enumerate(point)) for point in points.tolist()]


def sampled(events):
    """Positions of as many requests of each kind as the slow ones can test, evenly over the file."""
    positions = []
    for kind in (False, True):
        own = [at for at, event in enumerate(events) if is_attack(event) == kind]
        count = min(SLOW, len(own))
        positions += [own[number * len(own) // count] for number in range(count)]
    return positions


def measure(detector, points, events):
    package, module, what, learn, is_slow = detector
    row = {"detector": f"{package}{what}"}
    try:
        row["detector"] = f"{package} {version(package)}{what}"
        importlib.import_module(module)
        learned, tested = points()
        if is_slow and len(events) > 2 * SLOW:
            row["at"] = sampled(events)
            row["detector"] += f" ({len(row['at']):,} tested)"
            tested = tested[row["at"]]
        started = time.perf_counter()
        score = learn(learned)
        learned_at = time.perf_counter()
        scores = [float(one) for one in score(tested)]
        row["learn_us"] = (learned_at - started) * 1e6 / len(learned)
        row["score_us"] = (time.perf_counter() - learned_at) * 1e6 / len(tested)
        if not all(map(math.isfinite, scores)):
            raise ValueError("a score is not a number")
        row["scores"] = scores
    except PackageNotFoundError:
        row["reason"] = "not installed"
    except Exception as error:  # Of whatever a peer may raise: the others are measured all the same.
        row["reason"] = f"{type(error).__name__}: {error}"
    return row


def main(folder, *names):
    answer = {}
    for name in names:
        learned, tested = load(folder, name)

        @cache
        def points():
            # Here and not above: without numpy each row says so.
            vectors = importlib.import_module("vector").vectors
            return vectors(learned), vectors(tested)

        rows = []
        for detector in DETECTORS:
            print(f"{name}: {detector[0]}{detector[2]}", file=sys.stderr, flush=True)
            rows.append(measure(detector, points, tested))
        ids = {"learned": [event["id"] for event in learned], "tested": [event["id"] for event in tested]}
        answer[name] = {**ids, "rows": rows}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
