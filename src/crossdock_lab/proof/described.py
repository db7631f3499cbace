"""`make test-api`: schemathesis asks every documented operation of the API, with a seller's token about what is the
seller's and with the marketplace's about what is nobody's, and looks whether each answer is one that is documented.

It is installed from its own lock into the trial's folder, since it needs more packages than all of our tests.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock_lab.facts import Facts
from crossdock_lab.trial import Trial

if TYPE_CHECKING:
    from crossdock.store.models import Seller, User
    from crossdock_lab.stage import Stage

REQUIREMENTS = Path("requirements/fuzz.txt")
# Below the API's own, 1,200 a minute and token.
PACE = "1100/m"
# What is valid by its shape may still be refused by a rule: a price too low, a used code, a cursor of nobody's. What is
# not there is a 404 whatever else is missing.
_CONFIG = """\
base-url = "{base}"
continue-on-failure = true
headers = {{ Authorization = "Bearer ${{API_TOKEN}}" }}
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "402", "403", "404", "409", "422", "429"]
[checks.missing_required_header]
expected-statuses = ["401", "403", "404", "422"]
"""
_KNOWN = """\
[[operations]]
include-path-regex = "^/api/v1/{place}/"
parameters = {{ "path.id" = "{id}" }}
"""


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--examples", type=int, default=20, help="made-up requests per operation")
    parser.add_argument("--seed", type=int, default=1)


def run(args: argparse.Namespace) -> int:
    """The exit code: 1 where an answer was not as documented."""
    from crossdock_lab.stage import staff, stages

    with Trial() as trial:
        tool = _installed(trial.folder)
        trial.start_web()
        trial.worker.start()
        stage = next(stages(trial, Facts(), []))
        known = _known(stage)
        of_seller = _ask(trial, args, tool, _token(stage.seller, stage.seller.owner), known)
        of_all = _ask(trial, args, tool, _token(None, staff()), "")
    return of_seller or of_all


def _installed(folder: Path) -> Path:
    place, uv = folder / "fuzz", Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, place], check=True)
    words: list[str | Path] = [uv, "pip", "install", "-q", "--require-hashes", "-r", REQUIREMENTS]
    subprocess.run([*words, "--python", place], check=True)
    return place / "bin/schemathesis"


def _known(stage: "Stage") -> str:
    """What the seller has, so that not every question ends in a 404."""
    _, variant = stage.item(9)
    order = stage.buy(variant)
    stage.lands(order)
    rows = {"listings": variant.listing.public_id, "orders": order.public_id, "connections": stage.connection.public_id}
    return "".join(_KNOWN.format(place=place, id=id) for place, id in rows.items())


def _token(seller: "Seller | None", actor: "User") -> str:
    from crossdock.usecases.accounts.tokens import make_token
    from crossdock_lab.stage import now

    return make_token(name="made-up requests", seller=seller, actor=actor, now=now())[1]


def _ask(trial: Trial, args: argparse.Namespace, tool: Path, token: str, known: str) -> int:
    base, config = f"http://127.0.0.1:{trial.port}", trial.folder / "schemathesis.toml"
    config.write_text(_CONFIG.format(base=base) + known)
    asked: list[str | Path] = [tool, "--config-file", config, "run", f"{base}/api/v1/openapi.json"]
    words = ["--phases=examples,coverage,fuzzing", f"--max-examples={args.examples}", f"--seed={args.seed}"]
    environment = {"PATH": os.environ["PATH"], "API_TOKEN": token}
    return subprocess.run([*asked, *words, f"--rate-limit={PACE}", "--no-color"], env=environment).returncode
