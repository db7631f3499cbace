"""How often a shop is asked for news: soon after something happened there or here, seldom while nothing does, and
seldom where the shop itself tells us.

Never slower than a third of the age at which a count is not sold any more, so that a shop at rest stays for sale.
"""

# The longest wait while a shop is at rest. A webhook subscription counts as proven when the last audit found all of it
# active and a delivery arrived since it was last mended.
IDLE = 360.0
PROVEN = 1200.0
# After a rest of so many seconds the wait has grown by one.
GROWS = 4.0


def seconds_until_next(*, base: float, quiet: float, proven: bool, stale: float) -> float:
    """`base` is the platform's own pace, `quiet` the seconds since anything happened, `stale` the age in seconds at
    which a count is not sold any more.
    """
    longest = max(base, PROVEN if proven else IDLE)
    wanted = longest if proven else min(longest, max(base, quiet / GROWS))
    return min(wanted, stale / 3)
