"""Which embedded databases run."""

import os
from pathlib import Path


def servers_below(folder: Path) -> list[int]:
    """Every process that was started as a PostgreSQL server on a cluster below this folder.

    Its workers show other titles.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"/postgres") and any(word.startswith(os.fsencode(folder)) for word in words[1:]):
                found.append(int(entry.name))
    return found
