"""Writes scores.json: the figures of evaluations as scipy, numpy and mpmath compute them.

Run by hand, with numpy, scipy and mpmath, in this folder:

    python generate.py               writes scores.json
    python generate.py --coverage    prints how often intervals hold the truth; takes a minute

Where a figure depends on random numbers, those of the package are drawn here again (`draw`), and
numpy or scipy make the figure of them. Votes are counted with fractions, over all subsets or all
numbers of votes, not by the package's formula.
"""

import json
import math
import random
import sys
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from types import SimpleNamespace

import mpmath
import numpy
from scipy import optimize, stats

mpmath.mp.dps = 40
MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def key_of(seed, purpose):
    key = mix((seed + GAMMA) & MASK)
    for byte in purpose.encode():
        # In Swift &+ binds less than ^ does not: both are of addition's rank, from the left.
        key = mix(((key ^ byte) + GAMMA) & MASK)
    return key


def draw(key, index):
    return mix((key + (index + 1) * GAMMA) & MASK)


def below(count, key, index):
    return draw(key, index) * count >> 64


def elementary():
    exps = [0, 1, -1, 0.5, -0.3, 1e-9, 10.25, -37.125, 300.7, -700.3, 709.5, -730.5, 0.34657, 0.34658]
    logs = [1, 2, 0.5, 10, 1e-300, 5e-324, 1.7e308, 0.999999, 1.000001, 1.41421356, 1.41421357, 3.7]
    normal = [0, 0.1, -0.1, 1, -1, 1.959963984540054, -2.5, 4, -5.5, 7, 8.2]
    levels = [0.5, 0.025, 0.975, 0.8, 0.9, 0.995, 1e-4, 0.49, 0.51, 1e-6, 0.99995]
    quantile = lambda p: mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(p) - 1)
    return {
        "exp": [[x, float(mpmath.exp(x))] for x in exps],
        "log": [[x, float(mpmath.log(x))] for x in logs],
        "normal": [[x, float(mpmath.ncdf(x))] for x in normal],
        "quantile": [[p, float(quantile(p))] for p in levels],
    }


def passes():
    cases = [(1, 1, 1), (1, 0, 1), (2, 1, 1), (3, 1, 2), (5, 2, 3), (10, 3, 5), (16, 1, 16), (16, 0, 8),
             (64, 5, 10), (64, 60, 3), (64, 60, 5), (64, 1, 64), (100, 37, 20), (200, 3, 100),
             (1000, 7, 500), (1000, 500, 3), (1000, 500, 500), (100000, 12, 1000)]
    return [
        {"n": n, "c": c, "k": k, "value": float(1 - Fraction(math.comb(n - c, k), math.comb(n, k)))}
        for n, c, k in cases
    ]


def draws():
    cases = [(1, 1, 1), (4, 2, 2), (8, 3, 5), (10, 0, 4), (10, 10, 4), (16, 9, 16), (64, 20, 16),
             (64, 60, 8), (100, 37, 20), (1000, 500, 60), (2000, 30, 90)]
    return [
        {"n": n, "c": c, "k": k,
         "atLeast": [float(stats.hypergeom.sf(m - 1, n, c, k)) for m in range(k + 1)]}
        for n, c, k in cases
    ]


def votes_by_subsets(right, others, silent, k):
    """Over all subsets; a voter is (class, is right), or None."""
    voters = [(i, True) for i, size in enumerate(right) for _ in range(size)]
    voters += [(100 + i, False) for i, size in enumerate(others) for _ in range(size)]
    voters += [None] * silent
    total, count = Fraction(0), 0
    for subset in combinations(voters, k):
        count += 1
        tally = {}
        for voter in subset:
            if voter is not None:
                tally[voter] = tally.get(voter, 0) + 1
        if tally:
            winners = [v for v, votes in tally.items() if votes == max(tally.values())]
            total += Fraction(sum(is_right for _, is_right in winners), len(winners))
    return total / count


def votes_by_numbers(right, others, silent, k):
    """Over all numbers of votes that classes can have."""
    sizes = right + others
    total = Fraction(0)
    for numbers in product(*[range(size + 1) for size in sizes]):
        rest = k - sum(numbers)
        if not 0 <= rest <= silent or max(numbers) == 0:
            continue
        ways = math.comb(silent, rest)
        for size, number in zip(sizes, numbers):
            ways *= math.comb(size, number)
        winners = [i for i, number in enumerate(numbers) if number == max(numbers)]
        total += ways * Fraction(sum(i < len(right) for i in winners), len(winners))
    return total / math.comb(len_of(right, others, silent), k)


def len_of(right, others, silent):
    return sum(right) + sum(others) + silent


def votes():
    cases = []
    for right, others, silent in [
        ([1], [], 0), ([2], [2], 0), ([3], [1, 1, 1], 1), ([2, 2], [3], 1), ([1], [1, 1, 1, 1], 2),
        ([4], [3, 2], 0), ([1, 3], [2, 2, 1], 1), ([], [3, 2], 1), ([], [], 3), ([5], [], 3),
    ]:
        n = len_of(right, others, silent)
        curve = [votes_by_subsets(right, others, silent, k) for k in range(1, n + 1)]
        assert curve == [votes_by_numbers(right, others, silent, k) if sum(right + others) else 0
                         for k in range(1, n + 1)]
        cases.append({"right": right, "others": others, "silent": silent,
                      "ks": list(range(1, n + 1)), "values": [float(v) for v in curve]})
    for right, others, silent, ks in [
        ([25], [20, 10], 9, [1, 2, 5, 16, 33, 63, 64]),
        ([20], [24, 8], 12, [1, 2, 5, 16, 33, 63, 64]),
        ([14, 9], [20], 21, [1, 3, 8, 32, 50, 64]),
        ([70], [60], 26, [1, 16, 100, 155, 156]),
    ]:
        cases.append({"right": right, "others": others, "silent": silent, "ks": ks,
                      "values": [float(votes_by_numbers(right, others, silent, k)) for k in ks]})
    return cases


def wilson():
    cases = [(0, 10, 0.95), (10, 10, 0.95), (3, 10, 0.95), (15, 30, 0.95), (29, 30, 0.99),
             (417, 500, 0.9), (1, 1, 0.95), (1, 198, 0.999)]
    found = []
    for successes, trials, confidence in cases:
        interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
        found.append({"successes": successes, "trials": trials, "confidence": confidence,
                      "low": float(interval.low), "high": float(interval.high)})
    return found


def value_sets():
    generator = random.Random(7)
    return [
        [generator.randint(0, 64) / 64 for _ in range(30)],
        [float(generator.random() < 0.8) for _ in range(47)],
        [generator.random() ** 4 for _ in range(61)],
        [(generator.randint(0, 8) - generator.randint(0, 8)) / 8 for _ in range(25)],
        [0.0] * 19 + [1.0],
        [0.25, 0.75],
        # Tenths: many resamples have the mean of the values, but for the last bit.
        [generator.randint(2, 5) / 10 for _ in range(12)],
    ]


def bootstraps():
    found = []
    for number, values in enumerate(value_sets()):
        for confidence in [0.95, 0.8]:
            seed, resamples, n = 3 + number, 700, len(values)
            key = key_of(seed, "bootstrap")
            array = numpy.array(values)
            means = numpy.array([
                array[[below(n, key, b * n + i) for i in range(n)]].mean() for b in range(resamples)])
            # What is equal but for the order of a sum is made equal, which scipy does not do.
            means = numpy.array([float(mean) for mean in numpy.round(means, 13)])
            tails = [50 - 50 * confidence, 50 + 50 * confidence]
            percentile = numpy.percentile(means, tails)
            corrected = stats.bootstrap(
                (numpy.round(array, 13),), lambda x, axis: numpy.round(numpy.mean(x, axis=axis), 13),
                n_resamples=0, confidence_level=confidence, method="BCa",
                bootstrap_result=SimpleNamespace(bootstrap_distribution=means)).confidence_interval
            found.append({
                "values": values, "confidence": confidence, "seed": seed, "resamples": resamples,
                "percentile": [float(x) for x in percentile],
                "biasCorrected": [float(corrected.low), float(corrected.high)]})
    return found


def flips():
    generator = random.Random(11)
    cases = [
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1),
        ([1.0, -1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], 1),
        ([generator.randint(-8, 8) / 8 for _ in range(9)], 8),
        ([(generator.randint(0, 16) - generator.randint(0, 12)) / 16 for _ in range(13)], 16),
        ([generator.randint(-3, 5) / 6 for _ in range(11)], 6),
        ([0.0, 0.0, 0.0], 4),
    ]
    found = []
    for differences, denominator in cases:
        array = numpy.array(differences)
        test = stats.permutation_test(
            (array,), lambda x, axis: numpy.round(numpy.sum(x, axis=axis), 10),
            permutation_type="samples", n_resamples=math.inf, vectorized=True)
        seed, count = 5, 400
        key, rest = key_of(seed, "sign flips"), [x for x in differences if x != 0]
        words = (len(rest) + 63) // 64
        sums = [sum(x if draw(key, f * words + i // 64) >> (i % 64) & 1 == 0 else -x
                    for i, x in enumerate(rest)) for f in range(count)]
        as_far = sum(abs(s) >= abs(sum(rest)) - 1e-10 for s in sums)
        found.append({"differences": differences, "denominator": denominator,
                      "counted": float(min(1, test.pvalue)), "seed": seed, "flips": count,
                      "drawn": (1 + as_far) / (1 + count)})
    # More than 64 of them, so that a flip takes two numbers; and 0 or ±1 makes it a binomial test.
    differences = [float(generator.choice([-1, 1, 1, 0])) for _ in range(150)]
    rest = [x for x in differences if x]
    key = key_of(9, "sign flips")
    words = (len(rest) + 63) // 64
    as_far = sum(
        abs(sum(x if draw(key, f * words + i // 64) >> (i % 64) & 1 == 0 else -x
                for i, x in enumerate(rest))) >= abs(sum(rest)) - 1e-10 for f in range(3000))
    found.append({"differences": differences, "denominator": 1, "seed": 9, "flips": 3000,
                  "counted": float(stats.binomtest(rest.count(1.0), len(rest)).pvalue),
                  "drawn": (1 + as_far) / 3001})
    assert words == 2
    return found


def detectable():
    found = []
    for problems, deviation, confidence, power in [
        (30, 0.5, 0.95, 0.8), (500, 0.31, 0.95, 0.8), (198, 0.7, 0.99, 0.9), (2000, 0.4, 0.95, 0.5)]:
        sigmas = stats.norm.ppf((1 + confidence) / 2) + stats.norm.ppf(power)
        difference = sigmas * deviation / math.sqrt(problems)
        # The power that a two-sided t-test has at this difference, which is not quite normal.
        t = stats.t.ppf((1 + confidence) / 2, problems - 1)
        shift = difference * math.sqrt(problems) / deviation
        reached = stats.nct.sf(t, problems - 1, shift) + stats.nct.cdf(-t, problems - 1, shift)
        found.append({"problems": problems, "standardDeviation": deviation, "confidence": confidence,
                      "power": power, "difference": float(difference), "reached": float(reached)})
    return found


def ratings():
    generator = random.Random(23)
    sets = [
        [(1500.0, 1, 1), (1500.0, 0, 1)],
        [(800.0, 1, 1), (1200.0, 1, 1), (1600.0, 0, 1), (2000.0, 1, 1), (2400.0, 0, 1)],
        [(float(generator.randrange(800, 3500, 100)), generator.randint(0, 8), 8) for _ in range(60)],
        [(900.0, 1, 16), (1000.0, 0, 16), (3000.0, 0, 16)],
        [(3400.0, 15, 16), (1000.0, 16, 16)],
        [(1000.0, 1, 1), (1400.0, 1, 1), (1900.0, 3, 3)],
        [(1000.0, 0, 1), (1400.0, 0, 4)],
    ]
    slope = math.log(10) / 400
    found = []
    for problems in sets:
        chance = lambda r, R: 1 / (1 + mpmath.mpf(10) ** ((r - mpmath.mpf(R)) / 400))
        entry = {"problems": [{"rating": r, "solved": c, "attempts": n} for r, c, n in problems]}
        if all(c == n for _, c, n in problems):
            entry["atLeast"] = float(mpmath.findroot(
                lambda R: sum(mpmath.log(chance(r, R)) for r, _, _ in problems) - mpmath.log(0.05),
                2000))
        elif all(c == 0 for _, c, n in problems):
            entry["atMost"] = float(mpmath.findroot(
                lambda R: sum(mpmath.log(1 - chance(r, R)) for r, _, _ in problems)
                - mpmath.log(0.05), 1000))
        else:
            def loss(R):
                return -float(sum(c * mpmath.log(chance(r, R)) + (n - c) * mpmath.log(1 - chance(r, R))
                                  for r, c, n in problems))
            rough = optimize.minimize_scalar(loss, bounds=(-1000, 6000), method="bounded").x
            rating = mpmath.findroot(lambda R: sum(n * chance(r, R) - c for r, c, n in problems), rough)
            assert abs(rating - rough) < 0.1
            p = [(n * chance(r, rating), n * chance(r, rating) * (1 - chance(r, rating)), c)
                 for r, c, n in problems]
            second = mpmath.diff(lambda R: sum(n * chance(r, R) - c for r, c, n in problems), rating)
            entry["rating"] = float(rating)
            entry["standardError"] = float(1 / mpmath.sqrt(slope * second))
            entry["clusteredError"] = float(
                mpmath.sqrt(sum((c - np) ** 2 for np, _, c in p)) / second)
        found.append(entry)
    return found


def coverage():
    """Of 100 benchmarks whose problems have beta-distributed rates, how many intervals hold the mean."""
    generator = numpy.random.default_rng(1)
    for problems, samples, beta in [(30, 64, (0.5, 0.5)), (30, 64, (0.3, 1.2)), (30, 1, (0.5, 0.5)),
                                    (30, 16, (3, 0.3)), (198, 8, (0.8, 0.8)), (500, 4, (3, 0.3))]:
        truth, trials, held = beta[0] / sum(beta), 1000 if problems < 100 else 300, [0, 0]
        for _ in range(trials):
            values = generator.binomial(samples, generator.beta(*beta, size=problems)) / samples
            counts = generator.multinomial(problems, numpy.ones(problems) / problems, size=2000)
            means = counts @ values / problems
            mean, d = values.mean(), values - values.mean()
            levels = numpy.array([0.025, 0.975])
            bias = stats.norm.ppf(((means < mean - 1e-12).mean() + (means <= mean + 1e-12).mean()) / 2)
            a = (d**3).sum() / (6 * (d**2).sum() ** 1.5)
            z = bias + stats.norm.ppf(levels)
            for i, at in enumerate([levels, stats.norm.cdf(bias + z / (1 - a * z))]):
                low, high = numpy.quantile(means, at)
                held[i] += low - 1e-12 <= truth <= high + 1e-12
        print(problems, "problems,", samples, "samples, beta", beta, "percentile and BCa:",
              [round(float(100 * h / trials), 1) for h in held])


if "--coverage" in sys.argv:
    coverage()
else:
    stream = key_of(42, "bootstrap")
    document = {
        "elementary": elementary(),
        "random": {
            "seed": 42, "purpose": "bootstrap", "bits": [str(draw(stream, i)) for i in range(8)],
            "below": [[count, i, below(count, stream, i)]
                      for count in [1, 2, 30, 500, 1 << 40] for i in range(6)]},
        "passes": passes(), "draws": draws(), "votes": votes(), "wilson": wilson(),
        "bootstraps": bootstraps(), "flips": flips(), "detectable": detectable(),
        "ratings": ratings(),
    }
    Path("scores.json").write_text(json.dumps(document, indent=1) + "\n")
