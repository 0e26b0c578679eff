#!/usr/bin/env python3
"""Means verification, side by side (核对对比): this house and its peers on the same 42 million rows, in interleaved rounds.

    bench/means.py                          # 50 000 applications against eight sources, 5 rounds
    bench/means.py --scale 0.05 --rounds 3  # a quick look
    bench/means.py --rounds 1 --only house,duckdb

Makes what is missing (environment, data, our program) outside the tree, checks that all reports are equal, column by column, and
only then prints times: medians, ratios, and whether each gate holds. Ends with 1 below a gate. Seconds are of this
machine and day; only the ratios mean something. CPU seconds stand beside, for machines that do other things too.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
from side_by_side import CACHE, PEERS, PYTHON, built, disturbed, is_quiet, judged, measure, middle, set_up, used, writes  # noqa: E402

SOURCES = os.path.join(PEERS, "means_sources")



def prepare(scale, program):
    set_up()
    data, packed = folder(scale, "means"), folder(scale, "means_packed")
    for target, script, extra in ((data, "gen_means.py", ["--scale", str(scale)]), (packed, "means_ingest.py", ["--data", data])):
        if not os.path.exists(os.path.join(target, "marriage.parquet")):
            subprocess.run([PYTHON, "-B", os.path.join(PEERS, script), *extra, "--out", target], check=True, stdout=sys.stderr)
    return built("means", program)


def folder(scale, name):
    return os.path.join(CACHE, "data", f"{name}_{scale:g}")


def commands(scale, program):
    """Name → command. Each prints a line of JSON last."""
    data, packed, store = folder(scale, "means"), folder(scale, "means_packed"), folder(scale, "means_landed")
    house = ["--sources", SOURCES, "--data", data, "--store", store]
    yield "bulk/house-landed", [program, "bulk", *house]
    yield "bulk/house-straight", [program, "straight", *house]
    for engine in ("duckdb", "datafusion", "polars"):
        yield f"bulk/{engine}", [PYTHON, f"means_{engine}.py", "--data", data]
        if engine != "polars":
            yield f"bulk/{engine}-packed", [PYTHON, f"means_{engine}.py", "--data", packed, "--packed"]
    yield "bulk/reading-alone", [PYTHON, "means_floor.py", "--data", data]
    yield "one/house-landed", [program, "one", *house]


def land(scale, program, rounds):
    """Landing, measured each time into a fresh folder; the last one stays for the others."""
    store = folder(scale, "means_landed")
    runs = []
    for _ in range(rounds):
        shutil.rmtree(store, ignore_errors=True)
        runs.append(flat(measure([program, "land", "--sources", SOURCES, "--data", folder(scale, "means"), "--store", store])))
        print(f"land {runs[-1]['land_s']:.1f} s, CPU {runs[-1]['cpu_s']}, others {runs[-1]['others_busy_cores']}", file=sys.stderr)
    size = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(store) for name in names)
    return runs, size


def flat(run):
    return {**run, **run.pop("inner", {})}


def agree(runs):
    """One report for all."""
    seen = {}
    for name, several in runs.items():
        for run in several:
            if "checksum" in run:
                seen.setdefault(json.dumps(run["checksum"], sort_keys=True), set()).add(name)
    if len(seen) > 1:
        for checksum, names in seen.items():
            print(sorted(names), checksum)
        raise SystemExit("the reports differ: no time counts")
    for checksum, names in seen.items():
        print(f"reports equal, column by column: {' '.join(sorted(names))}\n{checksum}")


def table(runs):
    print("\n| what | runs | seconds | spread | process s | CPU s | peak MiB |\n|---|--:|--:|--:|--:|--:|--:|")
    for name, several in runs.items():
        kept = used(several)
        field = "land_s" if "land_s" in kept[0] else "compute_s" if "compute_s" in kept[0] else "wall_s"
        seconds = sorted(run[field] for run in kept)
        half = statistics.median(seconds)
        noisy = "" if all(is_quiet(run) for run in kept) else " noisy"
        rest = " | ".join(f"{statistics.median(run[key] for run in kept):.2f}" for key in ("wall_s", "cpu_s"))
        memory = max(run["peak_rss_mib"] for run in kept)
        print(f"| {name} | {len(kept)}{noisy} | {half:.3f} | {(seconds[-1] - seconds[0]) / half:.0%} | {rest} | {memory:.0f} |")


def gates(runs):
    """(what, measured, gate, target, smaller is better)"""

    def ratio(ours, theirs, field):
        mine, other = middle(runs.get(ours), field), middle(runs.get(theirs), field)
        return mine / other if mine and other else None

    for field, unit in (("compute_s", "time"), ("cpu_s", "CPU")):
        yield f"landed against DuckDB dirty, {unit}", ratio("bulk/house-landed", "bulk/duckdb", field), 0.40, 0.26, True
        yield f"landed against DuckDB packed, {unit}", ratio("bulk/house-landed", "bulk/duckdb-packed", field), 1.5, 1.0, True
        yield f"straight from dirty against DuckDB, {unit}", ratio("bulk/house-straight", "bulk/duckdb", field), 0.90, 0.70, True
    one = runs.get("one/house-landed")
    p95 = middle(one, "p95_us")
    yield "one household, p95 ms", p95 and p95 / 1000, 20, 5, True
    yield "one household, peak MiB", max(run["peak_rss_mib"] for run in one) if one else None, 200, 200, True
    landing = runs.get("land/house")
    yield "landing, s", middle(landing, "land_s"), 60, 20, True
    yield "landing, peak MiB", max(run["peak_rss_mib"] for run in landing) if landing else None, 1024, 1024, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="only these programs, with commas, e.g. house,duckdb")
    parser.add_argument("--program", help="our program, built already")
    parser.add_argument("--keep", action="store_true", help="leave the landed data where they are")
    writes(parser)
    wish = parser.parse_args()
    only = set(filter(None, wish.only.split(",")))
    program = prepare(wish.scale, wish.program)
    landings, size = land(wish.scale, program, min(wish.rounds, 3))
    runs = {"land/house": landings}
    for number in range(wish.rounds):
        for name, command in commands(wish.scale, program):
            if only and name.split("/")[1].split("-")[0] not in only:
                continue
            run = flat(measure(command))
            runs.setdefault(name, []).append(run)
            print(f"{number} {name} {run.get('compute_s', run['wall_s']):.3f} s, CPU {run['cpu_s']}, others {run['others_busy_cores']}", file=sys.stderr)
    agree(runs)
    table(runs)
    print(f"\nlanded: {size / 2**20:.0f} MiB on disk, {landings[-1]['rows']} rows, {landings[-1]['bad']} returned")
    for run in runs.get("one/house-landed", [])[-1:]:
        print(f"one household of {run['households']}: first {run['first_us']} µs, p50 {run['p50_us']} µs, p95 {run['p95_us']} µs, p99 {run['p99_us']} µs")
    busy = ", beside other work: the clock proves little" if disturbed(runs) else ""
    if busy:
        print("\nThe machine was busy with other things: these ratios prove nothing either way. Run again alone.")
    fine = judged(gates(runs), into=wish.write and ("means", f"`bench/means.py`, {wish.rounds} interleaved rounds{busy}"))
    if not wish.keep:
        shutil.rmtree(folder(wish.scale, "means_landed"), ignore_errors=True)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
