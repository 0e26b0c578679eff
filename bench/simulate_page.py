"""The simulation page asked as an officer's browser asks it (试算页面): the shipped program serves, a slider moves, the page answers.

Guarantees: signed in like anybody, over the wire, whole answers; the first one reads the snapshot, later ones find its rows in
memory. Deliberately absent: the browser's own drawing.
"""

import http.cookiejar
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from side_by_side import ROOT


class Desk:
    """The program serving a small demo whose newest snapshot is the one given."""

    def __init__(self, program, snapshot):
        self.folder = tempfile.mkdtemp(prefix="huimin-page-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        command = [program, "--log", "warn", "demo", "--people", "300", "--packs", os.path.join(ROOT, "packs"), "--data", self.folder]
        command += ["--listen", f"127.0.0.1:{port}", "--requests-a-minute", "100000000"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr, cwd=ROOT)
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)
        self.opener.addheaders.append(("Accept-Language", "zh-CN"))
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"the desk ended with {self.process.returncode}")
            try:
                self.get("/health")
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.25)
        # The newest whole snapshot counts, by its name.
        os.symlink(snapshot, os.path.join(self.folder, "snapshots", "9999-12-31"))

    def get(self, path):
        with self.opener.open(self.base + path, timeout=120) as answer:
            return answer.read().decode()

    def sign_in(self, login, password):
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.get("/sign-in"))
        form = urllib.parse.urlencode({**dict(hidden), "login": login, "password": password}).encode()
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}
        with self.opener.open(urllib.request.Request(self.base + "/sign-in", form, headers)) as answer:
            if answer.url.endswith("/sign-in"):
                raise SystemExit(f"could not sign in as {login}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def answers(program, snapshot, programme, parameter, values, day):
    """Seconds until the page answered, for each value of a parameter, the first one just after the program was started."""
    waited = []
    with Desk(program, snapshot) as desk:
        desk.sign_in("qushen", "Yanshi-2026")
        blank = desk.get(f"/simulate?{urllib.parse.urlencode({'programme': programme, 'day': day})}")
        found = re.search(rf'name="(a\.[a-z_]+\.{parameter})"', blank)
        if not found:
            raise SystemExit(f"the page does not ask for {parameter}")
        for value in values:
            asked = urllib.parse.urlencode({"programme": programme, "day": day, "reforms": 1, found[1]: value})
            start = time.perf_counter()
            page = desk.get(f"/simulate?{asked}")
            waited.append(time.perf_counter() - start)
            if "情景甲" not in page or "用时" not in page:
                raise SystemExit("the page did not answer the question")
    return waited
