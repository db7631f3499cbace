"""`crossdock risk report`: the shipped rules on every kind of made-up history, on its later part, with everything that
an order can tell and with less; and what each signal was worth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from crossdock.cli.scratch import scratch
from crossdock.demo.fields import KNOWN, SIX, with_only
from crossdock.demo.fraud import Attempt
from crossdock.demo.histories import Kind, history_of
from crossdock.demo.traces import facts_of, split_at, write
from crossdock.domain.risk import SIGNALS, Facts, RuleSet
from crossdock.domain.risk.report import Report, judged, report

# With the six fields that a payment always has: the mean over the kinds, and each of them.
MEAN_AUC, LEAST_AUC = 0.86, 0.80
# Of honest orders, medium or high, where one order in a hundred is fraud.
ALARMS = 0.05
_SAMPLE, _HONEST = 300, 2000
Case = tuple[Facts, bool]


def cases(attempts: Sequence[Attempt], known: Sequence[str], *, most_honest: int = 0) -> list[Case]:
    """Facts and truth of the paid orders of the later part. The attempts replace what is in the marketplace."""
    from crossdock.store.models import RiskTrace

    RiskTrace.objects.all().delete()
    since = split_at([one.at for one in attempts])
    late = [n for n, one in enumerate(attempts) if one.paid and one.at >= since]
    honest = [n for n in late if not attempts[n].fraud]
    if most_honest and len(honest) > most_honest:
        chosen = {*Random(1).sample(honest, most_honest), *(n for n in late if attempts[n].fraud)}
        late = sorted(chosen)
    shown = with_only(attempts, known)
    traces = write(shown)
    facts = facts_of([shown[n] for n in late], [traces[n] for n in late])
    return [(one, shown[n].fraud) for n, one in zip(late, facts, strict=True)]


def at_one_percent(kind: Kind) -> Kind:
    return replace(kind, share=0.01)


def told(rows: Sequence[Case], rules: RuleSet) -> Report:
    return report(judged(rules, rows))


@dataclass(frozen=True, slots=True)
class OfKind:
    kind: Kind
    whole: list[Case]
    reports: dict[str, Report]

    @property
    def six(self) -> float:
        return self.reports[SIX].auc or 0.0

    def lines(self) -> Iterator[str]:
        yield f"{self.kind.name}: {self.kind.what}"
        yield from (f"  {line}" for line in self.reports["everything"].lines())
        yield f"  with only {SIX}:"
        yield from (f"    {line}" for line in self.reports[SIX].lines())
        for name, one in self.reports.items():
            if name not in ("everything", SIX):
                yield f"  {name}: AUC {_figure(one.auc)}, recall {_figure(one.recall_at_5_percent)} at 5 % false alarms"


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def of_kind(kind: Kind, *, seed: int, orders: int, rules: RuleSet) -> OfKind:
    attempts = history_of(kind, seed=seed, orders=orders)
    whole = cases(attempts, KNOWN["everything"])
    reports = {"everything": told(whole, rules), SIX: told(cases(attempts, KNOWN[SIX]), rules)}
    for name, known in KNOWN.items():
        if name not in reports:
            reports[name] = told(cases(attempts, known, most_honest=_SAMPLE), rules)
    return OfKind(kind, whole, reports)


def signal_lines(rows: Sequence[Case], rules: RuleSet) -> list[str]:
    """Of each signal: the share of orders where it had data, where it spoke, and how many times as much fraud there was
    among those as among all.
    """
    base = sum(fraud for _, fraud in rows) / len(rows)
    found = [f"{'signal':18} points    data   spoke    lift"]
    for signal in SIGNALS:
        grades = [(signal.look(facts), fraud) for facts, fraud in rows]
        data = sum(grade is not None for grade, _ in grades)
        spoke = [fraud for grade, fraud in grades if grade]
        lift = f"{sum(spoke) / len(spoke) / base:7.1f}" if spoke and base else "      -"
        share = f"{data / len(rows):7.1%} {len(spoke) / len(rows):7.1%}"
        found.append(f"{signal.code:18} {rules.weights.get(signal.code, 0):6} {share} {lift}")
    return found


def over_kinds(kinds: Sequence[Kind], *, seed: int, orders: int) -> int:
    rules, rows, sixes = RuleSet(), list[Case](), dict[str, float]()
    alarms: dict[str, float] = {}
    print("Made-up histories; judged is the later part of each, every order with what was known at its moment.")
    with scratch():
        for kind in kinds:
            one = of_kind(kind, seed=seed, orders=orders, rules=rules)
            print(*one.lines(), sep="\n", flush=True)
            rows += one.whole
            sixes[kind.name] = one.six
            alarms[kind.name] = _alarms(kind, seed=seed, orders=orders, rules=rules)
    print(*signal_lines(rows, rules), sep="\n")
    return _verdict(sixes, alarms)


def _alarms(kind: Kind, *, seed: int, orders: int, rules: RuleSet) -> float:
    """The share of the honest orders that are medium or high where one in a hundred is fraud."""
    calm = history_of(at_one_percent(kind), seed=seed, orders=orders)
    return told(cases(calm, KNOWN["everything"], most_honest=_HONEST), rules).honest_above_low or 0.0


def _verdict(sixes: dict[str, float], alarms: dict[str, float]) -> int:
    mean, worst = sum(sixes.values()) / len(sixes), min(sixes, key=lambda name: sixes[name])
    facts = [
        (mean >= MEAN_AUC, f"with only {SIX}: mean AUC {mean:.3f}, {MEAN_AUC} or more"),
        (sixes[worst] >= LEAST_AUC, f"the lowest is {sixes[worst]:.3f} ({worst}), {LEAST_AUC} or more"),
    ]
    for name, share in alarms.items():
        words = f"{name} at 1 % fraud: {share:.1%} of the honest orders above low, at most {ALARMS:.0%}"
        facts.append((share <= ALARMS, words))
    for good, words in facts:
        print("ok  " if good else "FAIL", words)
    return 0 if all(good for good, _ in facts) else 1
