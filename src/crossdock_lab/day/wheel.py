"""The wheel as pip builds it, and an environment that holds it and its locked packages, nothing else."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path

from crossdock.cli.trouble import Trouble
from crossdock_lab.bench.figures import ROOT

# Built by the backend that pyproject.toml names.
_BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
MIGRATIONS = Path("src/crossdock/store/migrations")


def build(source: Path, folder: Path) -> Path:
    """From a copy: nothing of a former build is in it. Raises Trouble."""
    copy, target = folder / "source", folder / "wheel"
    target.mkdir(parents=True)
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(source / name, copy)
    for name in ("src", "requirements"):
        shutil.copytree(source / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    _ran([sys.executable, "-c", _BUILD, str(target)], cwd=copy)
    (built,) = target.glob("*.whl")
    return built


def locked(source: Path, lock: str = "runtime.txt") -> list[str]:
    """The names of the packages in a lock file."""
    return re.findall(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==", (source / "requirements" / lock).read_text())


def installed(wheel: Path, folder: Path, packages: Iterable[str]) -> Path:
    """The Python of a new environment in `folder`: each package is linked from ours, so that no network is needed.
    Ours, with the sources and the tests' tools, is not on its path. Raises Trouble.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    made = folder / "bin" / "python"
    there = next((folder / "lib").glob("python*/site-packages"))
    for name in packages:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue  # one for another system
        ours = Path(str(distribution(name).locate_file("")))
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            if not (there / top).exists():
                (there / top).symlink_to(ours / top)
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    words = [uv, "pip", "install", "-q", "--offline", "--no-deps", "--no-cache", "--python", made, wheel]
    _ran([str(word) for word in words])
    return made


def before(steps: int) -> str:
    """The commit before the first of the newest `steps` migrations. Raises Trouble where the history is not here."""
    names = sorted(path.name for path in (ROOT / MIGRATIONS).glob("0*.py"))
    first = MIGRATIONS / names[-steps]
    added = _git("log", "--format=%H", "--diff-filter=A", "--", str(first)).decode().split()
    if not added:
        raise Trouble(f"The history has no commit that added {first.name}; name an earlier version with --from.")
    return f"{added[-1]}~1"


def tree(commit: str, folder: Path) -> Path:
    """The files of a commit. Raises Trouble."""
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(_git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _git(*words: str) -> bytes:
    return _ran(["git", "-C", str(ROOT), *words])


def _ran(words: list[str], cwd: Path | None = None) -> bytes:
    done = subprocess.run(words, cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        raise Trouble(f"{words[0]}: {done.stderr.decode(errors='replace').strip()[-3000:]}")
    return done.stdout
