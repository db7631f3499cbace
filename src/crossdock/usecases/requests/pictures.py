"""Pictures of what a buyer sends back, kept with the return. Runs under the order's lock, which the caller holds."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from crossdock.domain.requests.returns import why_no_more_pictures
from crossdock.store.models import Return, ReturnPicture
from crossdock.usecases.errors import Invalid


def keep_pictures(row: Return, pictures: Sequence[bytes], *, now: datetime) -> int:
    """How many of these JPEGs are new: the same one twice is one. Raises Invalid where they would be too many."""
    named = {hashlib.sha256(content).hexdigest()[:40]: content for content in pictures}
    there = set(row.pictures.values_list("name", flat=True)) if named else set[str]()
    new = [ReturnPicture(row=row, name=name, content=named[name], at=now) for name in named if name not in there]
    if why := why_no_more_pictures(len(there), len(new)):
        raise Invalid(why)
    ReturnPicture.objects.bulk_create(new)
    return len(new)
