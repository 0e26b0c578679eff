#!/usr/bin/env python3
"""The whole rule book (全部事项): every programme of Bao'an for an invented district, as the nightly job and the page do it.

    bench/book.py                                         # 1 million people, five rounds
    bench/book.py --sizes 1000000,5500000 --rounds 3

Times whole processes of the shipped program: a full sweep, the night after it when one household in a thousand was written
anew, and a simulation. Each round does all three, on the same folder. What loading the rules costs is measured as well, by a
sweep in which nothing is left to do; shares are of what comes on top of it. Then the simulation page: the first answer after
the program was started, and those after it, while a slider moves. Ends with 1 below a gate.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from side_by_side import CACHE, PYTHON, QUIET, ROOT, built, judged, set_up, watch, writes  # noqa: E402
from simulate_page import answers  # noqa: E402

PACKS = os.path.join(ROOT, "packs")
# A night in the middle of a month; the first three of a month have more to do, because rules count full months.
DAY, NEXT = "2026-06-10", "2026-06-11"
ONE_IN = 1000
# What each variable costs, written with the table.
PROFILE = os.path.join(ROOT, "docs", "profile.md")
# What the slider of the page stands at, in yuan.
MOVED = [str(yuan) for yuan in range(1260, 1370, 10)]


def later_part(folder):
    """Writes one household in a thousand anew, as a night's changes would be."""
    # Only here, so that the comparison can be had without the peers' environment.
    import pyarrow
    import pyarrow.parquet as parquet

    manifest = json.load(open(os.path.join(folder, "manifest.json")))
    kept = []
    for part in manifest["parts"]:
        rows = parquet.read_table(os.path.join(folder, part["file"]))
        kept.append(rows.take(list(range(ONE_IN // 2, rows.num_rows, ONE_IN))))
    rows = pyarrow.concat_tables(kept, promote_options="permissive").combine_chunks().unify_dictionaries()
    name = f"households-{len(manifest['parts']):05}.parquet"
    parquet.write_table(rows, os.path.join(folder, name), compression="snappy")
    people = sum(len(members) for members in rows["members"])
    manifest["parts"].append({"file": name, "rows": rows.num_rows, "people": people, "delta": True})
    json.dump(manifest, open(os.path.join(folder, "manifest.json"), "w"))


def rounds(program, data, count):
    folder = data + ".work"
    found = {}
    for _ in range(count):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(data, folder)
        sweep = (program, "sweep", folder, "--packs", PACKS, "--as-of")
        reform = ("--packs", PACKS, "--set", "dibao_standard=130000")
        steps = [
            ("simulate", (program, "simulate", folder, *reform), None),
            ("full", (*sweep, DAY), None),
            ("start", (*sweep, DAY), None),
            ("night", (*sweep, NEXT), later_part),
        ]
        for name, command, before in steps:
            if before:
                before(folder)
            found.setdefault(name, []).append(watch(command)[0])
    shutil.rmtree(folder, ignore_errors=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000000", help="people, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", help="our program, built already")
    writes(parser)
    wish = parser.parse_args()
    program = built("huimin", wish.program)
    if sys.executable != PYTHON:
        set_up()
        os.execv(PYTHON, [PYTHON, os.path.abspath(__file__), "--sizes", wish.sizes, "--rounds", str(wish.rounds), "--program", program, *(["--write"] if wish.write else [])])
    fine = True
    for size in (int(size) for size in wish.sizes.split(",")):
        data = os.path.join(CACHE, "data", f"district_{size}")
        if not os.path.exists(os.path.join(data, "manifest.json")):
            subprocess.run([program, "synth", "--people", str(size), "--seed", "7", "--pack", os.path.join(PACKS, "baoan"), "--out", data], check=True, stdout=sys.stderr)
        households = json.load(open(os.path.join(data, "manifest.json")))["households"]
        found = rounds(program, data, wish.rounds)
        waited = answers(program, data, "dibao", "dibao_standard", MOVED, DAY) if size == 1_000_000 else None
        fine &= told(size, households, found, waited, wish.write)
        if wish.write and size == 1_000_000:
            subprocess.run([program, "profile", data, "--packs", PACKS, "--as-of", DAY, "--out", PROFILE], check=True)
    sys.exit(0 if fine else 1)


def told(size, households, found, waited, write):
    middle = {name: {field: statistics.median(run[field] for run in several) for field in several[0]} for name, several in found.items()}
    print(f"\n{size} people, {households} households, {len(found['full'])} rounds; rules loaded in {middle['start']['wall_s']:.2f} s")
    print("| what | wall s | CPU s | peak MiB | others' cores |\n|---|--:|--:|--:|--:|")
    for name, run in middle.items():
        print(f"| {name} | {run['wall_s']:.2f} | {run['cpu_s']:.2f} | {run['peak_rss_mib']:.0f} | {run['others_busy_cores']:.2f} |")
    # While others work, the clock on the wall says little; the processor's own time, over two cores, still does.
    noisy = any(run["others_busy_cores"] > QUIET for run in middle.values())
    field, cores, how = ("cpu_s", 2, ", half the CPU time") if noisy else ("wall_s", 1, "")
    over = {name: max(run[field] - middle["start"][field], 1e-3) / cores for name, run in middle.items()}
    gates = [(f"full rule book, {size} people, households a second{how}", households / over["full"], None, 1_000_000, False)]
    gates += [(f"night with 0.1 % changed, share of a full one{how}", over["night"] / over["full"], 0.05, 0.01, True)]
    if waited:
        first, *later = waited
        gates.append(("simulate one parameter, page to answer, the first after a start, s", first, 1, 0.3, True))
        gates.append(("simulate one parameter, page to answer, while a slider moves, s", statistics.median(later), 1, 0.3, True))
    gates.append((f"simulate one parameter, as a command, s{how}", over["simulate"], None, 0.3, True))
    into = write and size == 1_000_000 and ("book", f"`bench/book.py`, medians of {len(found['full'])} rounds beside loading the rules ({middle['start']['wall_s']:.2f} s)")
    return judged(gates, 3, into)


if __name__ == "__main__":
    main()
