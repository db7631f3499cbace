"""Another commit of the product, installed in its own folder with its own environment."""

import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from crossdock.cli.trouble import Trouble
from crossdock_lab.bench.figures import ROOT

FOLDER = ROOT / ".bench"


@dataclass(frozen=True, slots=True)
class Installed:
    """`name` is the commit's, or "this"."""

    name: str
    python: Path


def this() -> Installed:
    return Installed("this", Path(sys.executable))


def at(commit: str) -> Installed:
    """Installed once and kept: `.bench/<commit>`. Raises Trouble."""
    sha = _git("rev-parse", "--short=10", f"{commit}^{{commit}}").decode().strip()
    home = FOLDER / sha
    python = home / ".venv" / "bin" / "python"
    if not (home / ".installed").exists():
        home.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=BytesIO(_git("archive", sha))) as archive:
            archive.extractall(home, filter="data")
        _run(home, sys.executable, "-m", "venv", ".venv")
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "install")
        _run(home, *pip, "--require-hashes", "-r", "requirements/runtime.txt")
        _run(home, *pip, "--no-build-isolation", "--no-deps", "-e", ".")
        (home / ".installed").touch()
    return Installed(sha, python)


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=False)
    if done.returncode:
        raise Trouble(f"git {words[0]}: {done.stderr.decode().strip()}")
    return done.stdout


def _run(folder: Path, *words: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(words, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"{' '.join(words[1:4])} in {folder}: {(done.stderr or done.stdout).strip()[-600:]}")
