"""Our subscriptions in a shop: what is wanted against what is there."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from crossdock.domain.events import HookNews, Look
from crossdock.kit import wire
from crossdock.kit.connector import Hook, Subscriptions
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import path_of
from crossdock.kit.webhook import body_key


async def heal(
    wanted: Sequence[str],
    there: Iterable[Node],
    *,
    create: Callable[[str], Awaitable[object]],
    change: Callable[[Node, str], Awaitable[object]],
    remove: Callable[[Node], Awaitable[object]],
    right: Callable[[Node, str], bool],
    topic_of: Callable[[Node], str] = lambda node: node.text("topic"),
) -> Subscriptions:
    """One subscription for each topic, as it should be; `there` are ours, those to be kept first. What else of ours is
    there is removed.
    """
    kept: dict[str, Node] = {}
    healed: list[str] = []
    for node in there:
        topic = topic_of(node)
        if topic in wanted and topic not in kept:
            kept[topic] = node
        else:
            await gone(remove(node))
    for topic in wanted:
        if topic not in kept:
            await create(topic)
            healed.append(topic)
        elif not right(kept[topic], topic):
            await change(kept[topic], topic)
            healed.append(topic)
    return Subscriptions(tuple(wanted), tuple(wanted), tuple(healed))


def ours(nodes: Iterable[Node], hook_url: str, field: str) -> list[Node]:
    """By the path of our address, which names this shop alone: the host may be an older public address of ours. Those
    that point to it as it is now come first.
    """
    path = path_of(hook_url)
    found = [node for node in nodes if path and path_of(node.text(field)) == path]
    return sorted(found, key=lambda node: node.text(field) != hook_url)


async def gone(removal: Awaitable[object]) -> None:
    """Removed by us, or by somebody before."""
    try:
        await removal
    except Missing:
        return


def told(hook: Hook, meaning: Callable[[Any], tuple[str, Look]], topic: str = "odd") -> HookNews:
    """What a delivery names: `meaning` reads its topic and where to look out of its JSON. One that is odd says nothing,
    and is kept under `topic`.
    """
    try:
        topic, look = meaning(wire.load(hook.body))
    except Strange:
        return nothing(topic, hook)
    return HookNews(topic[:100], f"{look.kind}:{look.entity_id}:{body_key(hook.body)}", (look,))


def nothing(topic: str, hook: Hook) -> HookNews:
    """Of a delivery that names nothing; known by its body, since two states of one second are two pieces of news."""
    return HookNews(topic, f"{topic}:{body_key(hook.body)}")
