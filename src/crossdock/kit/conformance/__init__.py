"""The conformance suite: numbered scenarios that prove every "yes" of a manifest against a shop over real HTTP.

Outside packages can run it too.
"""

from crossdock.kit.conformance import (
    cancel,
    catalogue,
    connect,
    fulfilment,
    live,
    orders,
    part,
    refunds,
    risk,
    silence,
    stock,
    tracking,
    trouble,
    webhooks,
)
from crossdock.kit.conformance.stage import Site, Stage, staged, staged_at
from crossdock.kit.conformance.suite import NotConforming, Result, Scenario, called_for, run, run_all, scenarios

__all__ = [
    "NotConforming",
    "Result",
    "Scenario",
    "Site",
    "Stage",
    "called_for",
    "cancel",
    "catalogue",
    "connect",
    "fulfilment",
    "live",
    "orders",
    "part",
    "refunds",
    "risk",
    "run",
    "run_all",
    "scenarios",
    "silence",
    "staged",
    "staged_at",
    "stock",
    "tracking",
    "trouble",
    "webhooks",
]
