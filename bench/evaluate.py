#!/usr/bin/env python3
"""One household over the wire (单户试算对比): `POST /api/v1/evaluate` beside OpenFisca's web API, the same policy and household.

    bench/evaluate.py                       # three interleaved rounds of 8 seconds each
    bench/evaluate.py --rounds 1 --seconds 3

Both servers run on this machine, one at a time, and are asked by wrk over 1 and 8 connections; the load shares the processors
with them. Ours is asked twice: for the answer OpenFisca gives (outcomes and amounts), and for the whole determination with
every reason. What they say is compared to the fen before any time counts. Ends with 1 below a gate.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
from side_by_side import PEERS, PYTHON, built, judged, set_up, writes  # noqa: E402

PACKS = os.path.join(PEERS, "pack")
DAY = "2026-03-15"
CONNECTIONS = (1, 8)
MONEY = ("wage", "business", "property_income", "transfer", "medical", "education", "deposits")


def question(answer):
    """The household of the peers' program, in the words of our pack and in fen."""
    from policy_onecase import HOUSEHOLD, PERSON_DEFAULTS, PERSONS

    def fen(facts):
        return {name: round(value * 100) if name in MONEY else value for name, value in facts.items()}

    members = [fen({**PERSON_DEFAULTS, **known}) for known in PERSONS.values()]
    return {"as_of": DAY, "answer": answer, "household": fen(HOUSEHOLD), "members": members}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Served:
    """A server for as long as it is asked."""

    def __init__(self, command, port, folder, **settings):
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, env={**os.environ, **settings})

    def __enter__(self):
        for _ in range(300):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"the server did not come up: {self.process.args}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def answer(self, path, body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as given:
            return given.read()

    def load(self, path, body, connections, seconds):
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "post.lua")
            with open(script, "w") as lua:
                lua.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n')
                lua.write(f"wrk.body = [==[{body.decode()}]==]\n")
            told = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{self.port}{path}"],
                                  check=True, capture_output=True, text=True).stdout  # fmt: skip
        if "Non-2xx" in told or "Socket errors" in told:
            raise SystemExit(f"not every question was answered:\n{told}")
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()
        return {
            "a_second": float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]),
            "p99_ms": float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit],
        }


def theirs():
    from policy_onecase import SERVERS, situation

    port = free_port()
    command = [word.replace("5061", str(port)) for word in SERVERS["web"]]
    return Served(command, port, PEERS, PYTHONPATH=PEERS), "/calculate", json.dumps(situation()).encode()


def ours(program, data, answer):
    port = free_port()
    unlimited = "1000000000"
    command = [program, "--log", "error", "serve", "--packs", PACKS, "--place", "minzheng", "--database", f"sqlite://{data}/evaluate.db",
               "--keys", os.path.join(data, "keys"), "--files", os.path.join(data, "files"), "--listen", f"127.0.0.1:{port}",
               "--evaluations-a-minute", unlimited, "--requests-a-minute", unlimited]  # fmt: skip
    return Served(command, port, PEERS), "/api/v1/evaluate", json.dumps(question(answer)).encode()


def total(name, said):
    """What the household gets in the month, in fen."""
    said = json.loads(said)
    if name == "openfisca":
        (month,) = {month for person in said["persons"].values() for month in person["person_total"]}
        return sum(round(person["person_total"][month] * 100) for person in said["persons"].values())
    return sum(one["amount"] or 0 for one in said["determinations"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8, help="length of each load")
    parser.add_argument("--program", help="our program, built already")
    writes(parser)
    wish = parser.parse_args()
    if sys.executable != PYTHON:
        set_up()
        program = built("huimin", wish.program)
        os.execv(PYTHON, [PYTHON, os.path.abspath(__file__), *sys.argv[1:], "--program", program])
    if shutil.which("wrk") is None:
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "wrk"], check=True, stdout=sys.stderr)
    runs, totals, sizes = {}, {}, {}
    with tempfile.TemporaryDirectory() as data:
        for number in range(wish.rounds):
            for name, (server, path, body) in (
                ("openfisca", theirs()),
                ("house", ours(wish.program, data, "outcomes")),
                ("house, every reason", ours(wish.program, data, "reasons")),
            ):
                with server:
                    said = server.answer(path, body)
                    totals.setdefault(total(name, said), set()).add(name)
                    sizes[name] = len(said)
                    server.load(path, body, 8, 2)
                    for connections in CONNECTIONS:
                        run = server.load(path, body, connections, wish.seconds)
                        runs.setdefault((name, connections), []).append(run)
                        print(number, name, connections, run, file=sys.stderr, flush=True)
    if len(totals) > 1:
        raise SystemExit(f"the totals differ: {totals}: no time counts")
    print(f"the household gets {next(iter(totals))} fen a month, say {sorted(next(iter(totals.values())))}\n")
    print("| server | connections | requests a second | p99 ms | bytes of an answer |\n|---|--:|--:|--:|--:|")
    half = {key: {field: statistics.median(run[field] for run in several) for field in several[0]} for key, several in runs.items()}
    for (name, connections), run in half.items():
        print(f"| {name} | {connections} | {run['a_second']:,.0f} | {run['p99_ms']:.2f} | {sizes[name]} |")
    gates = []
    peer = half["openfisca", 8]
    for name, gate, aim, late, soon in (("house", 20, 40, 0.15, 0.05), ("house, every reason", None, 40, None, 0.05)):
        run, what = half[name, 8], "the same answer" if name == "house" else "with every reason"
        gates.append((f"one household over 8 connections, {what}, × openfisca's requests a second", run["a_second"] / peer["a_second"], gate, aim, False))
        gates.append((f"… p99, share of openfisca's {peer['p99_ms']:.1f} ms", run["p99_ms"] / peer["p99_ms"], late, soon, True))
    sys.exit(0 if judged(gates, into=wish.write and ("evaluate", f"`bench/evaluate.py`, medians of {wish.rounds} interleaved rounds")) else 1)


if __name__ == "__main__":
    main()
