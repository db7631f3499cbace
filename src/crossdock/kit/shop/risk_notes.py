"""The risk of an order in words for the shop's staff: facts where the platform has a place for them, otherwise one
note.

The key stands in the first of them, so that an earlier try is found again before anything is written twice.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteRisk
from crossdock.domain.risk import RiskLevel, Sentiment
from crossdock.kit.shop.cancel_units import key_of

LONGEST_NOTE = 2000
# Where a platform has one text for all notes of its staff.
BETWEEN = "\n\n"
SIGNS = {Sentiment.NEGATIVE: "-", Sentiment.NEUTRAL: "o", Sentiment.POSITIVE: "+"}


def head(command: WriteRisk) -> str:
    words = command.level.value.replace("_", " ")
    if command.level is RiskLevel.HIGH:
        words += ": look at it before you ship"
    return (
        f"Risk of fraud: {words}. {command.available} of {command.asked} signals available. [crossdock {command.key}]"
    )


def facts(command: WriteRisk, *, most: int, longest: int) -> list[tuple[Sentiment, str]]:
    """The head and then the reasons, worst first, cut to what the platform takes."""
    rows = [(Sentiment.NEUTRAL, head(command)), *((fact.sentiment, fact.sentence) for fact in command.facts)]
    return [(sentiment, shortened(text, longest)) for sentiment, text in rows[:most]]


def note(command: WriteRisk, *, longest: int = LONGEST_NOTE) -> str:
    """The same as one text, for platforms that have notes only."""
    lines = [f"{SIGNS[fact.sentiment]} {fact.sentence}" for fact in command.facts]
    return shortened(
        "\n".join([head(command), *lines, "Written by the marketplace; the buyer does not see it."]), longest
    )


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def before(command: WriteRisk, *, reference: str, texts: Iterable[str], done: Done) -> Outcome | None:
    """How it ends without writing: the order is not ours, or one of its `texts` is what would be written.

    None: write it.
    """
    if reference != command.reference:
        return Refused(Why.CONFLICT, "This order in the shop is not ours; nothing was written to it.")
    return replace(done, already=True) if any(key_of(text) == command.key for text in texts) else None


async def beside(
    command: WriteRisk,
    notes: Iterable[str],
    *,
    reference: str,
    write: Callable[[str], Awaitable[object]],
    number: str = "",
) -> Outcome:
    """Where each note of the staff stands by itself, as `notes` were just read."""
    done = Done(command.shop_order_id, number or command.shop_order_id)
    if ended := before(command, reference=reference, texts=notes, done=done):
        return ended
    await write(note(command))
    return done


async def behind(
    command: WriteRisk, notes: str, *, reference: str, write: Callable[[str], Awaitable[object]]
) -> Outcome:
    """Where all notes of the staff are one text: behind what stands in it, as `notes` were just read. Two writers at
    once would lose one's, so they wait for each other (`concurrency.alone`).
    """
    there = [each for each in notes.split(BETWEEN) if each.strip()]
    return await beside(command, there, reference=reference, write=lambda text: write(BETWEEN.join([*there, text])))
