"""Mails to a buyer about an order: placed, under way, cancelled, money back."""

from crossdock.domain.credit import REASONS
from crossdock.domain.mails.letter import MailKind
from crossdock.domain.mails.words import Fact, Words, said

PLACED = MailKind(
    "placed",
    said("Your order #{number}"),
    said("Thank you. {seller} has your order:\n\n{lines}\n\nTotal {total}. We write again when it is shipped."),
)
_PAID = said("Thank you for your payment.\n\n{orders}\n\n{next}")
PLACED_SEVERAL = MailKind("placed_several", said("Your orders {numbers}"), _PAID)
# One of several sellers' parts became an order.
PLACED_IN_PART = MailKind("placed_in_part", said("Your order #{number}"), _PAID)
ONE_OF_SEVERAL = said("Order #{number}, from {seller}:\n{lines}\nTotal {total}")
GOES_BACK = said("{why} {amount} of your payment go back to you.")
WHEN_SHIPPED = said("We write again when it is shipped.")
EACH_SHIPS = said("Each seller ships their own; we write when they do.")

SHIPPED = MailKind(
    "shipped", said("Your order #{number} is on its way"), said("{seller} shipped {what}.\n\n{tracking}")
)
TRACKING = MailKind("tracking", said("Tracking for your order #{number}"), said("{news}"))
ONE_MORE_NUMBER = said("One more tracking number of your order.")
TRACKED_BY = said("Tracking: {number}")
NO_NUMBER = said("no tracking number")
NUMBER_NOW = said("Tracking: {number}.")
NUMBER_TAKEN_BACK = said("The tracking number {before} was taken back.")
NUMBER_CHANGED = said("Tracking number changed from {before} to {number}.")
NUMBER_GIVEN = said("Tracking number: {number}.")

_PARCEL = said("{state}\n\n{tracking}")
PARCEL_WAITS = MailKind("parcel_waits", said("Your parcel is ready for pickup: order #{number}"), _PARCEL)
PARCEL_BACK = MailKind("parcel_back", said("Your parcel goes back to the sender: order #{number}"), _PARCEL)

CANCELLED = MailKind(
    "cancelled",
    said("Your order #{number} was cancelled"),
    said("{seller} could not fulfil your order #{number}. {money}"),
)
CANCELLED_AS_ASKED = MailKind(
    "cancelled_as_asked",
    said("Your order #{number} was cancelled"),
    said("Your order #{number} from {seller} is cancelled, as you asked. {money}"),
)
REFUNDING = said("We’re refunding {amount} to your card.")
WITH_THE_BANK = said("Your bank took {amount} of the payment back; should it return them to us, we refund you.")

CREDITED = MailKind(
    "credited",
    said("Money back for your order #{number}"),
    said("We’re refunding {amount} of your order #{number} to your card. {why}"),
)
CAME_BACK = said("Came back: {what}.")
SELLER_KEEPS = said("The seller keeps {amount}: {why}")
REFUNDED_THERE = said("Refunded by the seller in their shop.")
BANK_GAVE_CANCELLED = said("Your order was cancelled, and your bank has given the money back to us.")
BANK_GAVE_RETURNED = said("Your goods came back, and your bank has given the money back to us.")
WHAT_AND_WHY = said("{what}: {why}")


def chosen(reason: str) -> Fact:
    """Why there is a credit: one of REASONS, alone or before what somebody typed, or their own words."""
    which, _, typed = reason.partition(": ")
    if which not in REASONS:
        return reason
    return WHAT_AND_WHY.of(what=Words(which, {}), why=typed) if typed else Words(which, {})


# Why a part of a payment became no order.
JUST_SOLD = said("“{title}” was just sold.")
ONLY_LEFT = said("Only {left} of “{title}” are left.")
SOLD_ELSEWHERE = said("It was just sold in another listing: there is one of it only.")
TAKEN_DOWN = said("The marketplace took “{title}” down.")
OFFER_PAID = said("This offer was paid already.")
