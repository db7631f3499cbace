"""`python -m crossdock_lab.entry BUG serve`: the product's own command in a process that was broken first."""

import sys
from collections.abc import Sequence

from crossdock.cli import database
from crossdock.cli.main import main as product
from crossdock.cli.trouble import Trouble
from crossdock_lab.planted import plant


def main(argv: Sequence[str]) -> int:
    """Only in a demo."""
    bug, *words = argv
    database.setup()
    from django.conf import settings

    if not settings.DEMO:
        raise Trouble("Bugs are planted in demos only.")
    plant(bug)
    return product(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
