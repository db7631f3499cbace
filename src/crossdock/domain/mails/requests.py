"""Mails to a buyer about what they asked for after the sale: a cancel, a return, a withdrawal, a message, a rating."""

from crossdock.domain.mails.letter import MailKind
from crossdock.domain.mails.words import said

CANCEL_ASKED = MailKind(
    "cancel_asked",
    said("You asked to cancel your order #{number}"),
    said(
        "{seller} has your request and answers by {until}. Until then the order should not be shipped. If it was"
        " shipped already, or the seller declines, you get an e-mail. You can take the request back on the order's"
        " page."
    ),
)
_GOES_ON = said("Your order #{number} goes on")
CANCEL_DECLINED = MailKind("cancel_declined", _GOES_ON, said("{seller} declined to cancel your order #{number}: {why}"))
CANCEL_UNANSWERED = MailKind(
    "cancel_unanswered",
    said("No answer yet about your order #{number}"),
    said(
        "{seller} has not answered your request to cancel order #{number} in time. Our staff are told and look into it;"
        " the order stays on hold until then."
    ),
)
MESSAGE = MailKind(
    "message",
    said("A message about order #{number}"),
    said("{seller} wrote about order #{number}:\n\n{words}\n\nAnswer on the page, not by mail."),
)

RETURN_ASKED = MailKind(
    "return_asked",
    said("You asked to return something of order #{number}"),
    said(
        "{seller} has your request to return {what} and answers by {until}. Do not send it yet: you get an e-mail with"
        " the address."
    ),
)
RETURN_UNANSWERED = MailKind(
    "return_unanswered",
    said("No answer yet about your return of order #{number}"),
    said("{seller} has not answered your return in time. Our staff are told and look into it."),
)
RETURN_ACCEPTED = MailKind(
    "return_accepted",
    said("Send it back: your return of order #{number}"),
    said("{seller} takes back {what}.\n\nSend it to:\n{address}\n\n{way}\n\n{then}"),
)
SELLER_PAYS = said("The seller pays the way back, with this label: {label}")
YOU_PAY = said("You pay the way back.")
ENTER_NUMBER = said("Then enter its tracking number on the order's page.")
ENTER_NUMBER_BY = said(
    "Then enter its tracking number on the order's page by {until}; after that the return is closed, and you keep it."
)
RETURN_DECLINED = MailKind(
    "return_declined",
    said("Your return of order #{number} was declined"),
    said(
        "{seller} does not take back {what}: {why}\n\nIf you see it another way, write to the seller on the order's"
        " page."
    ),
)
RETURN_LAPSED = MailKind(
    "return_lapsed",
    said("Your return of order #{number} is closed"),
    said(
        "You did not say that you sent {what} back to {seller}, so the return is closed and you keep it. If you did"
        " send it, write to the seller on the order's page: they can still accept it."
    ),
)
RETURN_RECEIVED = MailKind(
    "return_received", said("Your return of order #{number} arrived"), said("{seller} received {what}. {why}")
)
BACK_ALREADY = said("What it was worth went back to you already.")

# What the buyer declares, and the next step in the words of Directive 2011/83/EU, articles 11, 13 and 14.
STATEMENT = said("I, {name}, withdraw from my contract with {seller} about order #{number} of {placed}: {things}.")
RECEIPT = said("We received this statement on {at}:\n\n“{statement}”")
WITHDRAWN = MailKind("withdrawn", said("Receipt: you withdrew from order #{number}"), said("{receipt}\n\n{next}"))
NOT_SHIPPED = said(
    "{seller} is told not to ship the order and to cancel it. The money goes back the way you paid, at the latest 14"
    " days after this statement."
)
SEND_TO = said("Send the goods back within 14 days to: {address}.")
SEND_WHERE_TOLD = said("Send the goods back within 14 days; {seller} tells you where to.")
MONEY_AFTER_GOODS = said(
    "The money goes back the way you paid, at the latest 14 days after this statement; the seller may wait until the"
    " goods are back, or you show that you sent them."
)
WITHDRAW_LINK = MailKind(
    "withdraw_link",
    said("Withdraw from order #{number}, or return something"),
    said(
        "Somebody, surely you, asked for a link to withdraw from order #{number} at {seller}:\n\n{link}\n\nReturn"
        " something of it:\n\n{return_link}\n\nThey hold for {days} days. Nothing happens until you confirm it there."
    ),
)

RATING_ANSWERED = MailKind(
    "rating_answered",
    said("{seller} answered your rating"),
    said("{seller} answered what you wrote about order #{number}:\n\n{words}"),
)
RATING_DOWN = MailKind(
    "rating_down",
    said("Your rating of order #{number} was taken down"),
    said(
        "What you wrote about order #{number} of {seller} was taken down: {why}\n\nA person decided this; nothing"
        " automatic took part in it.\n\nIf you think that it is wrong, write to us: {link}"
    ),
)
RATING_BACK = MailKind(
    "rating_back",
    said("Your rating of order #{number} is shown again"),
    said(
        "What you wrote about order #{number} of {seller} is shown again: {why}\n\nA person decided this; nothing"
        " automatic took part in it."
    ),
)
