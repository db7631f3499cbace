"""`python -m crossdock_lab reconcile` at a small size: a real worker, a simulated shop, an outage; the shape of the
cost is the same as with 100,000 variants. On one platform where counts move their product and on one where they do not;
`make soak` plays the others.
"""

import subprocess
import sys

import pytest

from crossdock.kit import discover
from crossdock_lab.patience import patient
from crossdock_lab.proof.reconcile import _fillable


def test_every_simulator_can_be_filled() -> None:
    assert set(_fillable()) == set(discover.connectors())


def one_of_each() -> list[str]:
    return list({known.manifest.counts_move_products: name for name, known in discover.connectors().items()}.values())


@pytest.mark.timeout(400)
@pytest.mark.parametrize("platform", one_of_each())
def test_an_outage_costs_what_changed(platform: str) -> None:
    words = [sys.executable, "-m", "crossdock_lab", "reconcile", "--platform", platform]
    words += ["--variants", "300", "--patience", "120"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=patient(380), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # Where counts move their product one page is enough; elsewhere it is said that every count was read.
    whole = not discover.connector(platform).manifest.counts_move_products
    assert ("every count was read" if whole else "1 pages of changed products read") in done.stdout
    assert "300 of 300 variants were read in for the first time" in done.stdout
    assert "300 of 300 listings show what the shop counts" in done.stdout
