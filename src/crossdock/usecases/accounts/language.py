"""The language that somebody reads."""

from crossdock.store.models import User


def speaks(*, person: User, language: str) -> None:
    """`language` is a code of settings.LANGUAGES. Their own choice, wherever they sign in next."""
    if person.language != language:
        person.language = language
        person.save(update_fields=["language"])
