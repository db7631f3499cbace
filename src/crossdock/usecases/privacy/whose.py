"""Whose data it is: the person, the shop they own, and every address that was theirs."""

from dataclasses import dataclass
from functools import cached_property

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet

from crossdock.store.models import Connection, Order, Seller, User


@dataclass(frozen=True)
class Whose:
    person: User

    @cached_property
    def seller(self) -> Seller | None:
        return Seller.objects.filter(owner=self.person).first()

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """Of e-mail, in small letters: the one that they sign in with, and others that they confirmed."""
        more = EmailAddress.objects.filter(user=self.person).values_list("email", flat=True)
        return tuple(dict.fromkeys(address.lower() for address in (self.person.email, *more)))

    @property
    def by_mail(self) -> Q:
        """Mails to them, however the address was written."""
        return Q(*(("to__iexact", address) for address in self.addresses), _connector=Q.OR)

    @property
    def bought(self) -> QuerySet[Order]:
        return Order.objects.filter(buyer=self.person)

    @property
    def references(self) -> QuerySet[Order]:
        """As commands and recorded calls name the orders."""
        return self.bought.values("reference")  # type: ignore[return-value]

    @property
    def shops(self) -> QuerySet[Connection]:
        return Connection.objects.filter(seller__owner=self.person)
