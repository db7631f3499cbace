"""Judging an order: facts, signals that look at them, a rule set that weighs the signals, and reports on how well that
went.
"""

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.scoring import SHIPPED, Assessment, Reason, RiskLevel, RuleSet, assess
from crossdock.domain.risk.signal import Sentiment, Signal
from crossdock.domain.risk.signals import BY_CODE, SIGNALS
from crossdock.domain.risk.weights import WEIGHTS

__all__ = [
    "BY_CODE",
    "SHIPPED",
    "SIGNALS",
    "WEIGHTS",
    "Assessment",
    "Facts",
    "Reason",
    "RiskLevel",
    "RuleSet",
    "Sentiment",
    "Signal",
    "assess",
]
