"""Runs one long proof and keeps its last result: `python tests/support/proofs.py NAME command [words]`.

With RECORD=1 in the environment the closing counts, date, commit and seconds go into docs/proofs.json, and
docs/proofs.md is written from it. A run that failed is kept as well: the page shows what was seen last, not what was
hoped for.
"""

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

# The lines that count: "15 passed, 0 failed", "364,001 states; 0 broken". Facts begin with ok or FAIL, progress with
# spaces.
COUNTS = re.compile(r"^(?!ok |FAIL |\s).*\b\d[\d,]* (?:failed|broken|wrong|went wrong|were not)\b")
ROOT = Path(__file__).parents[2]
RESULTS, PAGE = ROOT / "docs" / "proofs.json", ROOT / "docs" / "proofs.md"
HEAD = """# The long proofs

<!-- Written by `make soak RECORD=1`. -->

What `make test` proves once, these prove many times. Each line is the last recorded run.

| proof | command | result | counts | seconds | date | commit |
|---|---|---|---|---|---|---|
"""


def page(results: dict[str, dict[str, str]]) -> str:
    rows = [
        f"| {name} | `{one['command']}` | {one['result']} | {one['said']} | {one['seconds']} | {one['date']} |"
        f" {one['commit']} |\n"
        for name, one in results.items()
    ]
    return HEAD + "".join(rows)


def commit() -> str:
    words = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def main(name: str, command: list[str]) -> int:
    begun, last, counts = time.monotonic(), "", list[str]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
            if COUNTS.search(line):
                counts.append(line.strip())
    if os.environ.get("RECORD"):
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[name] = {
            "command": " ".join([Path(command[0]).name, *command[1:]]),
            "result": "ok" if child.returncode == 0 else f"FAILED, code {child.returncode}",
            "said": ("; ".join(counts) or last).replace("|", "/")[:600],
            "seconds": f"{time.monotonic() - begun:.0f}",
            "date": datetime.now(UTC).date().isoformat(),
            "commit": commit(),
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        PAGE.write_text(page(results))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
