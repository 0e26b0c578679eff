"""What the benches of this folder share (对比公用): where things lie, what must be there, quiet runs, and the table of gates.

A run counts as quiet when other processes kept at most a quarter of a core busy; noisy runs are left out while enough quiet ones
remain, and it is said when they were not. Deliberately absent: what is measured; each bench says that itself.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PEERS = os.path.join(HERE, "peers")
CACHE = os.environ.get("HUIMIN_BENCH") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "huimin-bench"
)
PYTHON = os.path.join(CACHE, "venv", "bin", "python")
QUIET = 0.25

sys.path.insert(0, PEERS)
sys.dont_write_bytecode = True
from harness import measure, watch  # noqa: E402, F401


def set_up():
    """The peers' environment, outside the tree."""
    subprocess.run([os.path.join(PEERS, "setup")], check=True, env={**os.environ, "HUIMIN_BENCH": CACHE}, stdout=sys.stderr)


def built(package, program):
    """Our program: the one named, or built now."""
    if not program:
        subprocess.run(["cargo", "build", "--release", "--package", package], check=True, cwd=ROOT)
        told = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], check=True, cwd=ROOT, capture_output=True)
        program = os.path.join(json.loads(told.stdout)["target_directory"], "release", package)
    return os.path.abspath(program)


def is_quiet(run):
    return run["others_busy_cores"] <= QUIET


def used(several, least=3):
    quiet = [run for run in several if is_quiet(run)]
    return quiet if len(quiet) >= least else several


def disturbed(runs, least=3):
    return not all(is_quiet(run) for several in runs.values() for run in used(several, least))


def middle(several, field, least=3):
    """The median of a field over the runs that have it; None without any."""
    values = [run[field] for run in used(several or [], least) if field in run]
    return statistics.median(values) if values else None


def writes(parser):
    """The option to put the table of gates into the README."""
    parser.add_argument("--write", action="store_true", help="put the table of gates into the README too")


def judged(gates, digits=2, into=None):
    """Prints (what, measured, gate, target, smaller is better) as a table; whether every gate that was measured holds.

    A gate may be None: then there is only a target. `into` is (name, how it was measured): the place in the README that gets the
    same table, or None.
    """
    lines = ["| measure | measured | gate | target | |", "|---|--:|--:|--:|---|"]
    fine = True
    for what, measured, gate, target, smaller in gates:
        if measured is None:
            lines.append(f"| {what} | not measured | {gate} | {target} | |")
            continue
        holds = gate is None or (measured <= gate if smaller else measured >= gate)
        aimed = measured <= target if smaller else measured >= target
        fine &= holds
        said = "BELOW GATE" if not holds else "below target" if gate is None else "gate"
        lines.append(f"| {what} | {measured:,.{digits}f} | {'' if gate is None else gate} | {target} | {'target' if aimed else said} |")
    print("\n" + "\n".join(lines))
    if into:
        put(*into, lines)
    return fine


def put(name, how, lines):
    """Puts a table into its place in the README."""
    file = os.path.join(ROOT, "README.md")
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    begin, end = f"<!-- speed {name}: written by `bench/{name}.py --write` -->\n", f"\n<!-- /speed {name} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"README.md has no place for {name}")
    told = f"\n{how}, {datetime.date.today()}, {os.cpu_count()} cores.\n\n" + "\n".join(lines) + "\n"
    with open(file, "w", encoding="utf-8") as opened:
        opened.write(before + begin + told + end + after)
