"""Judging an order: facts, signals that look at them, a rule set that weighs the signals, and reports on how well that
went.
"""

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.scoring import SHIPPED, WEIGHTS, Assessment, Reason, RiskLevel, RuleSet, assess
from crossdock.domain.risk.signals import BY_CODE, SIGNALS, Sentiment, Signal

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
