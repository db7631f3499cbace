"""A mail before it is in a language."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossdock.domain.mails.words import Fact, Words


@dataclass(frozen=True, slots=True)
class MailKind:
    """`name` never changes once mails of it were written. The texts' places are filled by a letter's facts."""

    name: str
    subject: Words
    body: Words

    def letter(self, **facts: Fact) -> "Letter":
        return Letter(self, facts)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: its kind, and a fact for each place of it."""

    kind: MailKind
    facts: Mapping[str, Fact]

    @property
    def subject(self) -> Words:
        return Words(self.kind.subject.text, self.facts)

    @property
    def body(self) -> Words:
        return Words(self.kind.body.text, self.facts)
