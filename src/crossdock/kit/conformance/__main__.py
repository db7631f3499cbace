"""`python -m crossdock.kit.conformance PLATFORM [NUMBER ...]`: play the suite for one installed platform, whoever
wrote it.
"""

import asyncio
import sys

from crossdock.kit import discover
from crossdock.kit.conformance.suite import Result, Verdict, run_all


def main(arguments: list[str]) -> int:
    """One line per scenario that was called for, then the counts. Non-zero when one failed or none was played."""
    if not arguments:
        sys.stderr.write(f"Name a platform: {', '.join(discover.connectors())}.\n")
        return 2
    name, *numbers = arguments
    try:
        connector, sandbox, only = discover.connector(name), discover.sandbox(name), {int(number) for number in numbers}
    except (discover.NoSuchFolder, discover.BrokenFolder, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    results = asyncio.run(run_all(connector, sandbox, only=only, on_result=_print))
    counts = {verdict: sum(result.verdict is verdict for result in results) for verdict in Verdict}
    sys.stdout.write(f"{name}: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + "\n")
    return 0 if counts[Verdict.PASSED] and not counts[Verdict.FAILED] else 1


def _print(result: Result) -> None:
    if result.verdict is not Verdict.NOT_CALLED_FOR:
        line = f"{result.number} {result.verdict:6} {result.seconds:5.1f} s  {result.title}"
        sys.stdout.write(line + (f"\n    {result.sentence}" if result.sentence else "") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
