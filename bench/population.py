#!/usr/bin/env python3
"""Whole populations, side by side (全量计算对比): this house and its peers on the same data, in interleaved rounds.

    bench/population.py                                   # 100 000, 1 million, 5.5 million and 50 million people, 5 rounds
    bench/population.py --sizes 100000 --rounds 3         # a quick look
    bench/population.py --sizes 5500000 --only house,kernel

Makes what is missing (environment, data, our program) outside the tree, checks that all agree to the fen, person by
person at the smallest size and by checksum everywhere, and only then prints times: medians, ratios, and whether each
gate holds. Ends with 1 below a gate. Seconds are of this machine and day; only the ratios mean something.
"""

import argparse
import os
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
from side_by_side import CACHE, PEERS, PYTHON, built, disturbed, is_quiet, judged, measure, set_up, used, writes  # noqa: E402
from side_by_side import middle as median  # noqa: E402

PACK = os.path.join(PEERS, "pack", "minzheng")
# Above this only this house runs: what is asked there is its own memory and whether it stays linear.
TOGETHER = 6_000_000


def prepare(sizes, program):
    set_up()
    for size in sizes:
        data = folder(size)
        steps = [("gen_population.py", ["--persons", str(size), "--out", data], "households.parquet")]
        if size <= TOGETHER:
            steps.append(("policy_dump.py", ["--data", data], os.path.join("raw", "households.deposits.bin")))
        for script, extra, last in steps:
            if not os.path.exists(os.path.join(data, last)):
                subprocess.run([PYTHON, "-B", os.path.join(PEERS, script), *extra], check=True, stdout=sys.stderr)
    return built("population", program)


def folder(size):
    return os.path.join(CACHE, "data", f"pop_{size}")


def commands(size, program, with_year):
    """Name → command. Each prints a line of JSON with compute_s and checksum_fen last."""
    data = ["--data", folder(size)]
    month = ["--month", "2026-03"]
    year = ["--year", "2026"]

    def peer(script, *rest):
        return [PYTHON, script, *data, *rest]

    house = [program, "--pack", PACK, *data]
    yield "month/house", [*house, *month, "--passes", "9"]
    yield "month/house-parquet", [*house, *month, "--source", "parquet"]
    if size > TOGETHER:
        return
    yield "month/kernel", [os.path.join(CACHE, "kernel"), "policy", folder(size), "2", "9", "clustered"]
    yield "month/openfisca", peer("policy_openfisca.py", *month)
    for engine in ("polars", "datafusion", "duckdb"):
        yield f"month/{engine}", peer(f"policy_{engine}.py", *month)
        yield f"month/{engine}-parquet", peer(f"policy_{engine}.py", *month, "--source", "parquet")
    if with_year:
        yield "year/house", [*house, *year]
        yield "year/openfisca", peer("policy_openfisca.py", *year, "--forget")
        for engine in ("polars", "datafusion", "duckdb"):
            yield f"year/{engine}", peer(f"policy_{engine}.py", *year)


def verify(size, program):
    """Everybody's benefits of everybody, row by row, in fen."""
    out = os.path.join(CACHE, "verify")
    os.makedirs(out, exist_ok=True)
    for month in ("2026-03", "2026-08"):
        files = []
        for name in ("openfisca", "duckdb", "datafusion", "polars", "house"):
            file = os.path.join(out, f"{name}.parquet")
            if name == "house":
                command = [program, "--pack", PACK, "--data", folder(size), "--month", month, "--out", file]
            else:
                command = [PYTHON, f"policy_{name}.py", "--data", folder(size), "--month", month, "--out", file]
            measure(command)
            files.append(file)
        done = subprocess.run([PYTHON, "-B", os.path.join(PEERS, "policy_verify.py"), *files], capture_output=True, text=True)
        if done.returncode:
            print(done.stdout)
            raise SystemExit(f"the engines do not agree in {month}: no time counts")
        print(f"agree to the fen, person by person: {size} people, {month}: openfisca duckdb datafusion polars house", flush=True)


def agree(runs):
    """One checksum a size and period."""
    sums = {}
    for (size, name), several in runs.items():
        for run in several:
            sums.setdefault((size, name.split("/")[0]), {}).setdefault(run["checksum_fen"], set()).add(name)
    for (size, period), found in sums.items():
        if len(found) > 1:
            raise SystemExit(f"checksums differ at {size}, {period}: {found}: no time counts")
        (only,) = found
        print(f"checksum {size} {period}: {only}, {len(found[only])} programs")


def middle(runs, size, name, field="compute_s"):
    return median(runs.get((size, name)), field)


def table(runs):
    print("\n| people | what | runs | seconds | spread | process s | CPU s | peak MiB |\n|--:|---|--:|--:|--:|--:|--:|--:|")
    for (size, name), several in runs.items():
        kept = used(several)
        seconds = sorted(run["compute_s"] for run in kept)
        half = statistics.median(seconds)
        noisy = "" if all(is_quiet(run) for run in kept) else " noisy"
        spread = (seconds[-1] - seconds[0]) / half if half else 0
        rest = " | ".join(f"{statistics.median(run[field] for run in kept):.2f}" for field in ("wall_s", "cpu_s"))
        memory = max(run["peak_rss_mib"] for run in kept)
        print(f"| {size} | {name} | {len(kept)}{noisy} | {half:.4f} | {spread:.0%} | {rest} | {memory:.0f} |")


def gates(runs, sizes):
    """(what, measured, gate, target, smaller is better)"""
    largest, smallest = max((size for size in sizes if size <= TOGETHER), default=max(sizes)), min(sizes)

    def ratio(ours, theirs, size=largest, field="compute_s", extra=()):
        mine, other = middle(runs, size, ours), middle(runs, size, theirs, field)
        for more in extra:
            other = other and other + middle(runs, size, theirs, more)
        return other / mine if mine and other else None

    warm = middle(runs, largest, "month/house", "compute_median_s")
    hand = middle(runs, largest, "month/kernel")
    yield f"month in memory against the hand-written loop, {largest}", warm and hand and warm / hand, 2.3, 1.5, True
    for peer, gate, target in (("openfisca", 5, 8), ("polars", 2.2, 3.6), ("datafusion", 3.6, 5.6), ("duckdb", 3.8, 6.2)):
        yield f"… × faster than {peer}", ratio("month/house", f"month/{peer}"), gate, target, False
    yield ("from Parquet, × faster than openfisca",
           ratio("month/house-parquet", "month/openfisca", extra=("read_s", "input_s")), 6, 8, False)  # fmt: skip
    yield "… × faster than polars", ratio("month/house-parquet", "month/polars-parquet"), 1.4, 2, False
    yield "twelve months, × faster than openfisca", ratio("year/house", "year/openfisca"), 4, 10, False
    yield (f"fixed costs, {smallest}, × faster than openfisca",
           ratio("month/house", "month/openfisca", size=smallest), 2, 5, False)  # fmt: skip
    for size in [largest, *(size for size in sizes if size > TOGETHER)]:
        memory = [run["peak_rss_mib"] for run in runs.get((size, "month/house-parquet"), [])]
        yield f"peak MiB from Parquet, {size}", max(memory) if memory else None, 512 if size <= TOGETHER else 1024, 300, True
    for size in sizes:
        if 1_000_000 in sizes and size > 1_000_000:
            small, large = (middle(runs, each, "month/house", "compute_median_s") for each in (1_000_000, size))
            off = small and large and large / size / (small / 1_000_000) - 1
            yield f"linear from 1 million to {size}: dearer by", off, 0.15, 0.05, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000,1000000,5500000,50000000", help="people, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="only these programs, with commas, e.g. house,kernel")
    parser.add_argument("--no-year", action="store_true", help="leave out the twelve months")
    parser.add_argument("--no-verify", action="store_true", help="leave out the row by row comparison")
    parser.add_argument("--program", help="our program, built already")
    writes(parser)
    wish = parser.parse_args()
    sizes = sorted(int(size) for size in wish.sizes.split(","))
    only = set(filter(None, wish.only.split(",")))
    program = prepare(sizes, wish.program)
    if not wish.no_verify:
        verify(min(sizes), program)
    runs = {}
    for number in range(wish.rounds):
        for size in sizes:
            for name, command in commands(size, program, not wish.no_year):
                if only and name.split("/")[1].split("-")[0] not in only:
                    continue
                run = measure(command)
                runs.setdefault((size, name), []).append(run)
                print(f"{number} {size} {name} {run['compute_s']:.4f} s, others {run['others_busy_cores']}", file=sys.stderr)
    agree(runs)
    table(runs)
    busy = ", beside other work: the clock proves little" if disturbed(runs) else ""
    if busy:
        print("\nThe machine was busy with other things: these ratios prove nothing either way. Run again alone.")
    sys.exit(0 if judged(gates(runs, sizes), into=wish.write and ("population", f"`bench/population.py`, {wish.rounds} interleaved rounds{busy}")) else 1)


if __name__ == "__main__":
    main()
