"""Runs a command beside processes that only keep the machine busy: `python tests/busy.py 8 make test`."""

import contextlib
import subprocess
import sys


def main() -> int:
    count, *command = sys.argv[1:]
    with contextlib.ExitStack() as ends:
        for _ in range(int(count)):
            child = subprocess.Popen([sys.executable, "-S", "-c", "import os\nwhile os.getppid() != 1: pass"])
            ends.callback(child.wait)
            ends.callback(child.kill)
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
