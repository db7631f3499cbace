"""The scenes of the story by chapter.

A chapter is a module with SCENES and BUGS: each planted bug with the scenes that are there to notice it.
"""

from crossdock_lab.scenes import (
    changes,
    endings,
    finding,
    fulfilments,
    holidays,
    labels,
    linked,
    loop,
    money,
    odd,
    offers,
    payouts,
    reports,
    requests,
    risk,
    stock,
    together,
    trials,
)
from crossdock_lab.scenes.marketplace import agents, agents_ucp, evening, moderation, runs, selling
from crossdock_lab.scenes.scene import Scene

CHAPTERS = (
    loop,
    fulfilments,
    offers,
    labels,
    money,
    endings,
    reports,
    risk,
    stock,
    odd,
    changes,
    together,
    requests,
    trials,
    payouts,
    finding,
    holidays,
    linked,
    moderation,
    agents,
    agents_ucp,
    evening,
    runs,
    selling,
)
SCENES: tuple[Scene, ...] = tuple(scene for chapter in CHAPTERS for scene in chapter.SCENES)
BUGS: dict[str, tuple[Scene, ...]] = {bug: scenes for chapter in CHAPTERS for bug, scenes in chapter.BUGS.items()}

__all__ = ["BUGS", "SCENES", "Scene"]
