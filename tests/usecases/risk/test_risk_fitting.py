"""`crossdock risk fit` on rows of the database: labelled orders in, a plain table in shadow out, in force only when it
is better on later orders.
"""

import re
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from tests.usecases.risk.test_risk import BAD, bought

from crossdock.cli import database
from crossdock.cli.risks import fitting
from crossdock.cli.trouble import Trouble
from crossdock.demo.fraud import BEGIN, DAYS, history
from crossdock.demo.histories import BY_NAME, KINDS
from crossdock.demo.traces import facts_about, write
from crossdock.domain.risk import WEIGHTS, Facts, RuleSet, assess
from crossdock.store.models import AuditEntry, Order, RiskAssessment, RiskRuleSet, User
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.risk.judge import rules_in_force
from crossdock.usecases.risk.rules import keep_fitted, labelled, release
from crossdock_lab import risk_weights
from market import World

# Large enough for more than 150 frauds.
SIZE = 6000
END = BEGIN + timedelta(days=DAYS + 100)


@pytest.fixture(autouse=True)
def same_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ready", lambda *, migrated: None)


def orders_of(size: int, world: World, *, most_frauds: int = 10**6) -> None:
    """The generator's paid orders as rows: an order, its trace with the label, and the judgement of its own day."""
    attempts = history(orders=size, seed=4)
    traces = write(attempts)
    first = bought(world, BAD, now=END)
    rows, frauds = [], 0
    for attempt, trace in zip(attempts, traces, strict=True):
        # Of the honest ones every third is enough to learn from; all of them are there as traces.
        if attempt.paid and (frauds < most_frauds if attempt.fraud else trace.pk % 3 == 0):
            frauds += attempt.fraud
            rows.append((attempt, trace))
    fields = {
        field.attname: getattr(first, field.attname)
        for field in Order._meta.concrete_fields
        if not field.primary_key and field.attname not in ("public_id", "number", "reference", "placed_at")
    }
    made = Order.objects.bulk_create(
        Order(**fields, number=10**6 + n, reference=f"FIT-{n}", placed_at=attempt.at)
        for n, (attempt, _) in enumerate(rows)
    )
    kept = []
    for order, (attempt, trace) in zip(made, rows, strict=True):
        facts = facts_about(attempt, trace)
        found = assess(facts)
        kept.append(
            RiskAssessment(
                order=order,
                at=attempt.at,
                why="placed",
                level=found.level,
                score=found.score,
                available=found.available,
                asked=found.asked,
                inputs=facts.as_json(),
                contributions=[],
            )
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_risktrace t SET order_id = v.o, fraud = v.f FROM unnest(%s::bigint[], %s::bigint[],"
            " %s::bool[]) v(t, o, f) WHERE t.id = v.t",
            [[trace.pk for _, trace in rows], [order.pk for order in made], [attempt.fraud for attempt, _ in rows]],
        )
    RiskAssessment.objects.bulk_create(kept, batch_size=2000)


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("staff@example.test", None, is_staff=True)


@pytest.mark.django_db
def test_learned_from_rows_run_in_shadow_and_put_in_force_by_staff(capsys: Any, staff: User) -> None:
    world = World(units=50, now=END)
    orders_of(SIZE, world)
    rows = labelled(since=None, now=END)
    frauds = sum(fraud for _, fraud in rows)
    assert frauds >= fitting.LEAST_FRAUDS
    cut = int(len(rows) * fitting.TRAIN_SHARE)
    assert all(isinstance(facts, Facts) for facts, _ in rows) and 0 < sum(fraud for _, fraud in rows[cut:]) < frauds
    assert fitting.fit(shadow=True) == 0
    told = capsys.readouterr().out
    row = RiskRuleSet.objects.get()
    assert row.shadow_at and row.live_at is None and rules_in_force()[1] is None, "fitting decides nothing"
    assert all(isinstance(weight, int) for weight in row.weights.values()) and "As a plain table" in told
    theirs, ours, paired = fitting.compared(rows, RuleSet())[1:]
    assert row.beats == fitting.better(theirs, ours, paired) and (ours.auc or 0) >= 0.8
    order = bought(world, BAD, now=END + timedelta(hours=1))
    judged = RiskAssessment.objects.get(order=order)
    assert judged.rules is None and judged.shadow_score == assess(Facts.of_json(judged.inputs), row.value).score
    page = Client()
    page.force_login(staff)
    RiskRuleSet.objects.update(beats=False)
    assert "stays in shadow" in page.get(f"/staff/risk/rules/{row.pk}/").content.decode()
    page.post(f"/staff/risk/rules/{row.pk}/")
    assert rules_in_force()[1] is None, "a crafted request releases nothing that was not better"
    RiskRuleSet.objects.update(beats=True)
    page.post(f"/staff/risk/rules/{row.pk}/")
    assert rules_in_force()[1] == row
    later = bought(world, BAD, now=END + timedelta(hours=2))
    assert RiskAssessment.objects.get(order=later).rules == row


@pytest.mark.django_db
def test_with_few_labels_it_says_how_many_are_missing() -> None:
    orders_of(300, World(units=50, now=END), most_frauds=3)
    with pytest.raises(Trouble, match=r"There are 3 orders labelled as fraud; 150 are needed"):
        fitting.fit(shadow=True)
    assert not RiskRuleSet.objects.exists()


@pytest.mark.django_db
def test_what_was_not_better_stays_in_shadow(staff: User) -> None:
    row = keep_fitted(rules=RuleSet(), lines=["x"], beats=False, now=END)
    audited = AuditEntry.objects.get()
    assert (audited.action, audited.subject, audited.detail) == ("risk rules", f"fitted {row}", {"beats": False})
    with pytest.raises(NotAllowed, match="stay in shadow"):
        release(row=row, lines=["x"], actor=staff, now=END)


@pytest.mark.django_db
def test_the_shipped_weights_are_what_the_command_writes_and_the_same_seeds_give_the_same() -> None:
    shipped = risk_weights.WHERE.read_text()
    seeds = [int(seed) for seed in re.findall(r"--seeds ([\d,]+)", shipped)[0].split(",")]
    assert risk_weights.as_module(RuleSet(), len(KINDS), seeds) == shipped, "nobody edits it by hand"
    assert set(risk_weights.HAND) == set(WEIGHTS) and set(WEIGHTS) > risk_weights.FIXED
    for code, points in WEIGHTS.items():
        assert points * risk_weights.HAND[code] >= 0, "no signal is turned round"
        assert code not in risk_weights.FIXED or points == risk_weights.HAND[code]

    def once() -> RuleSet:
        sample = risk_weights.Sample([], [])
        for name in ("testing", "resellers"):
            risk_weights._gather(sample, BY_NAME[name], 5, 300)
        return risk_weights.learn(sample)

    rules = once()
    assert rules == once() and rules.problems() == [] and rules.weights != risk_weights.HAND


def test_without_the_optional_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(Trouble, match=r"pip install -r requirements/extras\.txt"):
        fitting.fitted_on([(Facts(), True)])
    assert assess(Facts(cvc_check="fail")).reasons, "scoring needs nothing of it"
