"""Which tests go to one process together.

Whole files do, since the tests of a file may share a long play. A file that is long because it does the same again and
again is cut up: at the end one process would still be busy with it while the others have nothing to do.
"""

import re

from xdist.scheduler import LoadFileScheduling

# Of these each platform's scenarios go together; of the others each test goes alone.
BY_PLATFORM = re.compile(r"(tests/kit/test_conformance\.py::test_the_platform_conforms\[[a-z_]+)-")
APART = ("tests/kit/test_odd_values.py", "tests/kit/test_cost.py", "tests/lab/test_proof.py")


def share(nodeid: str) -> str:
    """What the tests that stay together have in common."""
    if found := BY_PLATFORM.match(nodeid):
        return found[1]
    file = nodeid.partition("::")[0]
    return nodeid if file in APART else file


class Shares(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)
