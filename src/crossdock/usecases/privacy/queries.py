"""What is read of copies and leavings. Nothing here writes."""

from django.db.models import QuerySet

from crossdock.domain.privacy.runs import RunKind
from crossdock.store.models import DataPart, DataRun, User


def runs_of(person: User) -> QuerySet[DataRun]:
    return DataRun.objects.filter(person=person)


def newest(person: User, kind: RunKind) -> DataRun | None:
    return runs_of(person).filter(kind=kind).order_by("-pk").first()


def pieces_of(run: DataRun) -> QuerySet[DataPart, bytes | memoryview]:
    """A copy's file, in its order."""
    return DataPart.objects.filter(run=run).order_by("no").values_list("content", flat=True)
