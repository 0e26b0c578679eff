#!/usr/bin/env python3
"""Record linkage, side by side (同一人识别对比): this house, Splink and exact keys on the same data, in interleaved rounds.

    bench/linkage.py                                 # 1 million and 5.5 million records, 3 rounds, and the harder register
    bench/linkage.py --sizes 1000000 --rounds 1      # a quick look
    bench/linkage.py --held-out                      # judge on the register that is held back; development uses another

Makes what is missing (environment, data, our program) outside the tree, prints quality first, then times and memory with ratios,
and whether each gate holds. Ends with 1 below a gate. Seconds are of this machine and day; CPU seconds stand beside them, for the
machine may be shared. Only ratios of one run mean something.
"""

import argparse
import os
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
from side_by_side import CACHE, HERE, PEERS, PYTHON, built, is_quiet, judged, measure, set_up, writes  # noqa: E402
from side_by_side import disturbed as any_disturbed  # noqa: E402
from side_by_side import middle as median  # noqa: E402
from side_by_side import used as used_of  # noqa: E402

LOOSE = os.path.join(HERE, "linkage", "loose.txt")
HARDER = {"development": ("development", 11), "held": ("held", 20261122)}
# A round takes long; two quiet ones are enough.
LEAST = 2



def folder(name):
    return os.path.join(CACHE, "data", f"linkage_{name}")


def prepare(sizes, harder, records, program):
    set_up()
    program = built("linkage_bench", program)
    for size in sizes:
        if not os.path.exists(os.path.join(folder(size), "register.parquet")):
            script = os.path.join(PEERS, "gen_linkage.py")
            subprocess.run([PYTHON, "-B", script, "--records", str(size), "--out", folder(size)], check=True, stdout=sys.stderr)
    kind, seed = HARDER[harder]
    if not os.path.exists(os.path.join(folder(harder), "register.parquet")):
        words = ["--records", str(records), "--seed", str(seed), "--kind", kind, "--data", folder(harder)]
        subprocess.run([program, "invent", *words], check=True, stdout=sys.stderr)
    return program


def commands(sizes, harder, program, wish):
    """(data, name) → command. Each prints a line of JSON last."""
    for size in sizes:
        data = ["--data", folder(size)]
        yield (size, "house"), [program, "link", *data]
        yield (size, "splink"), [PYTHON, "linkage_splink.py", *data, "--blocking", "tight"]
        yield (size, "exact"), [PYTHON, "linkage_exact.py", *data]
        if size == min(sizes) and not wish.no_loose:
            yield (size, "house-loose"), [program, "link", *data, "--keys", LOOSE]
            yield (size, "splink-loose"), [PYTHON, "linkage_splink.py", *data, "--blocking", "loose"]
    yield (max(sizes), "house-against"), [program, "against", "--data", folder(max(sizes)), "--new", "10000"]
    yield (harder, "house"), [program, "link", "--data", folder(harder)]
    yield (harder, "splink"), [PYTHON, "linkage_splink.py", "--data", folder(harder), "--blocking", "tight"]


def used(several):
    return used_of(several, LEAST)


def middle(runs, size, name, field="total_s"):
    return median(runs.get((size, name)), field, LEAST)


def quality(run, name):
    if "clusters" in run:
        return {"clusters": run["clusters"], "edges >= 0.5": run["edges"]["0.5"]}
    if "clusters_at_95" in run:
        return {"clusters": run["clusters_at_95"], "edges >= 0.5": run["edges"]["0.5"]}
    return {key: run[key] for key in ("by_id", "by_id_or_name_birth_sex") if key in run}


def f1(runs, size, name):
    several = runs.get((size, name))
    return quality(several[0], name)["clusters"]["f1"] if several else None


def tables(runs):
    print("\n| data | program | what counts | pairs | precision | recall | F1 |\n|---|---|---|--:|--:|--:|--:|")
    for (size, name), several in runs.items():
        for what, score in quality(several[0], name).items():
            cells = " | ".join(f"{score[key]}" for key in ("pairs", "precision", "recall", "f1"))
            print(f"| {size} | {name} | {what} | {cells} |")
    print("\n| data | program | runs | seconds | process s | CPU s | peak MiB |\n|---|---|--:|--:|--:|--:|--:|")
    for (size, name), several in runs.items():
        kept = used(several)
        noisy = "" if all(is_quiet(run) for run in kept) else " noisy"
        seconds = statistics.median(run.get("total_s", run.get("against_s", run["wall_s"])) for run in kept)
        rest = " | ".join(f"{statistics.median(run[field] for run in kept):.2f}" for field in ("wall_s", "cpu_s"))
        memory = max(run["peak_rss_mib"] for run in kept)
        print(f"| {size} | {name} | {len(kept)}{noisy} | {seconds:.3f} | {rest} | {memory:.0f} |")


def gates(runs, sizes, harder):
    """(what, measured, gate, target, smaller is better)"""
    small, large = min(sizes), max(sizes)

    def ratio(size, ours, theirs, field):
        mine, other = middle(runs, size, ours, field), middle(runs, size, theirs, field)
        return mine / other if mine and other else None

    yield f"{small}: time, training included, of Splink's", ratio(small, "house", "splink", "total_s"), 0.25, 0.10, True
    yield "… CPU seconds of the process, of Splink's", ratio(small, "house", "splink", "cpu_s"), 0.25, 0.10, True
    mine, other = f1(runs, small, "house"), f1(runs, small, "splink")
    yield "… F1 above Splink's", None if mine is None or other is None else mine - other, 0.0, 0.002, False
    loose = runs.get((small, "splink-loose"))
    link, predict = middle(runs, small, "house-loose", "link_s"), middle(runs, small, "splink-loose", "predict_s")
    pairs = loose and loose[0]["candidate_pairs"]
    yield "many candidates: pairs a second (ours with training), of Splink's", link and predict and predict / link, 6, 15, False
    if pairs and link:
        print(f"\n{pairs} candidates: Splink {pairs / predict:,.0f} pairs/s, ours {pairs / link:,.0f} pairs/s with training in the time")
    if large > small:
        yield f"{large}: time of Splink's", ratio(large, "house", "splink", "total_s"), 0.5, 0.25, True
        yield "… CPU seconds of Splink's", ratio(large, "house", "splink", "cpu_s"), 0.5, 0.25, True
        yield "… peak memory of Splink's", ratio(large, "house", "splink", "peak_rss_mib"), 0.6, 0.4, True
    yield f"10 000 new to {large}, seconds", middle(runs, large, "house-against", "against_s"), 2, 0.5, True
    judged = runs.get((harder, "house"))
    if judged:
        clusters = judged[0]["clusters"]
        yield f"harder ({harder}): F1 of what is merged", clusters["f1"], 0.92, 0.96, False
        yield "… precision of what is merged without a person", clusters["precision"], 0.99, 0.995, False
        row = next(row for row in judged[0]["calibration"] if row["from"] == 0.85)
        off = abs(row["right"] - 0.90)
        yield f"… of {row['pairs']} pairs said to be 0.85 to 0.95, share right: off from 0.90 by", off, 0.05, 0.03, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000000,5500000", help="records, with commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--held-out", action="store_true", help="judge on the register that is held back")
    parser.add_argument("--harder-records", type=int, default=300_000)
    parser.add_argument("--only", default="", help="only these programs, with commas, e.g. house,splink")
    parser.add_argument("--no-loose", action="store_true", help="leave out the many candidates")
    parser.add_argument("--program", help="our program, built already")
    writes(parser)
    wish = parser.parse_args()
    sizes = sorted(int(size) for size in wish.sizes.split(","))
    harder = "held" if wish.held_out else "development"
    only = set(filter(None, wish.only.split(",")))
    program = prepare(sizes, harder, wish.harder_records, wish.program)
    runs = {}
    for number in range(wish.rounds):
        for key, command in commands(sizes, harder, program, wish):
            if only and key[1].split("-")[0] not in only:
                continue
            run = measure(command)
            runs.setdefault(key, []).append(run)
            print(f"{number} {key[0]} {key[1]} {run['wall_s']} s, CPU {run['cpu_s']}, others {run['others_busy_cores']}", file=sys.stderr)
    tables(runs)
    busy = ", beside other work: the clock proves little" if any_disturbed(runs, LEAST) else ""
    if busy:
        print("\nThe machine was busy with other things: seconds prove nothing; CPU seconds are nearer, and inflated too. Run again alone.")
    sys.exit(0 if judged(gates(runs, sizes, harder), 4, wish.write and ("linkage", f"`bench/linkage.py`, {wish.rounds} interleaved rounds{busy}")) else 1)


if __name__ == "__main__":
    main()
