"""The loop against the real thing, worker killed in between: the order stands there once, its tracking code comes
back, stock agrees.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from vendure_server import RealVendure

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


def test_the_whole_loop_on_an_unmodified_server(server: RealVendure) -> None:
    environment = {
        **os.environ,
        "REAL_PLATFORM": "vendure",
        "REAL_ADDRESS": server.address,
        "REAL_PASSWORD": server.password,
    }
    program = Path(__file__).with_name("real_loop.py")
    played = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, check=False, timeout=800
    )
    print(played.stdout)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "FAIL" not in played.stdout
    assert played.stdout.count("\nok ") >= 15
