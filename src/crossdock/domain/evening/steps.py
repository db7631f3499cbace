"""The way from a connected shop to its first sale, as steps whose state is read off facts: it can be left, and goes on
where it stands.
"""

from dataclasses import dataclass
from enum import StrEnum

from crossdock.domain.wording import counted


class Step(StrEnum):
    """In the order in which they are taken."""

    CONNECT = "connect"
    READ = "read"
    CHOOSE = "choose"
    RULES = "rules"
    TRY = "try"
    LIVE = "live"


class State(StrEnum):
    DONE = "done"
    NEXT = "next"
    WAITS = "waits"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a shop now. `trial` is how its last test order ended: "", "running", "passed" or "left"
    (something is left to do). `chosen`, `limits` and `prices` say in words what is sold of it, what is kept back and
    what is asked for it. `paused` is a shop that is connected and sells nothing for now.
    """

    connected: bool
    read: bool
    listed: int
    not_listed: int
    ships: bool
    limits: str
    trial: str
    shadow: bool
    paused: bool = False
    chosen: str = ""
    prices: str = ""


@dataclass(frozen=True, slots=True)
class Stand:
    """One step as its seller reads it."""

    step: Step
    state: State
    title: str
    sentence: str


TITLES = {
    Step.CONNECT: "Connect your shop",
    Step.READ: "Your products are read",
    Step.CHOOSE: "Choose what to sell",
    Step.RULES: "Set your rules",
    Step.TRY: "Make a test order",
    Step.LIVE: "Go live",
}


def stands(facts: Facts) -> tuple[Stand, ...]:
    """All steps; of those that are not done the first one is next, unless it waits for something by itself."""
    found = list[Stand]()
    ahead = True
    for step in Step:
        done, sentence, waits = _of(step, facts)
        state = State.DONE if done else State.WAITS if waits else State.NEXT if ahead else State.LATER
        ahead = ahead and (done or (waits and step is Step.TRY))
        found.append(Stand(step, state, TITLES[step], sentence))
    return tuple(found)


def _of(step: Step, facts: Facts) -> tuple[bool, str, bool]:
    """Whether it is done, what is to be said, and whether it waits by itself."""
    match step:
        case Step.CONNECT:
            return facts.connected, "" if facts.connected else "Your shop is not connected now.", False
        case Step.READ:
            return (
                facts.read,
                "" if facts.read else "This takes a while in a large shop. You can leave.",
                not facts.read,
            )
        case Step.CHOOSE:
            many = counted(facts.listed, "listing")
            sold = f"{many} would be sold" if facts.shadow or facts.paused else f"{many} on sale"
            return facts.listed > 0, f"{sold}, {facts.not_listed} not. {facts.chosen}".rstrip(), False
        case Step.RULES:
            missing = "" if facts.ships else " Nobody can buy before you set a shipping price."
            return facts.ships, f"{facts.limits} {facts.prices}".rstrip() + missing, False
        case Step.TRY:
            return _tried(facts)
        case Step.LIVE:
            if facts.shadow:
                return False, "Shadow mode: your shop is only read. Look at the report, then go live.", False
            if facts.paused:
                return False, "Your shop is paused here, so buyers find nothing of it.", False
            return facts.connected and facts.listed > 0, "Buyers find your listings, and orders go to your shop.", False


def _tried(facts: Facts) -> tuple[bool, str, bool]:
    if facts.trial == "passed":
        return True, "It was made, read back and cancelled in your shop.", False
    if facts.shadow:
        return False, "It is written to your shop, so make it as soon as you are live.", True
    if facts.trial == "running":
        return False, "It is under way.", True
    if facts.trial == "left":
        return False, "The last one left something to do.", False
    return False, "One unit is ordered in your shop, read back and cancelled. Nobody pays.", False
