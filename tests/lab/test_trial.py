"""A throw-away marketplace leaves nothing behind, whenever it is asked to end and however often."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossdock_lab.patience import patient
from databases import servers_below

# Says when its database is up, and when it is about to end; the end takes long enough to be asked in the middle of it.
PLAY = """
import sys, time
from crossdock.cli import postgres
from crossdock_lab import trial
good, bad = postgres.Cluster.start, postgres.Cluster.stop
def start(self):
    good(self)
    print("up", self.folder, flush=True)
    time.sleep(float(sys.argv[1]))
def stop(self):
    print("ending", flush=True)
    time.sleep(1)
    return bad(self)
postgres.Cluster.start, postgres.Cluster.stop = start, stop
with trial.Trial() as it:
    print("begun", it.folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("asked_at", ["up", "begun"], ids=["while it begins", "while it runs"])
def test_asked_twice_to_end_it_leaves_no_server_and_no_folder(asked_at: str) -> None:
    words = [sys.executable, "-c", PLAY, "60" if asked_at == "up" else "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CROSSDOCK_")}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        folder = None
        for line in child.stdout:
            said, _, rest = line.strip().partition(" ")
            if said == "up":
                folder = Path(rest).parent
                assert servers_below(folder)
            if said in (asked_at, "ending"):
                child.send_signal(signal.SIGTERM)
        assert child.wait(patient(60)) == 143
    assert folder is not None
    end = time.monotonic() + patient(20)
    while servers_below(folder) and time.monotonic() < end:
        time.sleep(0.05)
    assert servers_below(folder) == [] and not folder.exists()
