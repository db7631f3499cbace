"""Letters about the account to whoever owns it: what happened, from where, and what to do if it was somebody else.

They go to the address that the account had before: a thief who changed it would get the letter otherwise.
"""

from datetime import datetime

from django.conf import settings

from crossdock.domain.wording import moment
from crossdock.store.ids import public_id
from crossdock.store.models import User
from crossdock.usecases.accounts.account_log import NOTED, account_note
from crossdock.usecases.record.brand import site_name
from crossdock.usecases.record.mail import write_mail

# What happened -> (subject, sentence). `{0}` is what it was done with, where the words need it.
WORDS = {
    "password": ("Your password was changed", "The password of your account was changed."),
    "address": (
        "Your e-mail address was changed",
        "Your account is signed in to with {0} from now on, not with this address.",
    ),
    "app_on": (
        "An authenticator app was set up",
        "Signing in to your account takes a code of an authenticator app now.",
    ),
    "app_off": ("Your authenticator app was removed", "Signing in to your account takes no code of your app any more."),
    "passkey_on": ("A passkey was added", "A passkey opens your account now."),
    "passkey_off": ("A passkey was removed", "A passkey of yours opens your account no more."),
    "codes": ("New recovery codes were made", "Your account has new recovery codes; the old ones end."),
    "factor_off": (
        "Your second factor was removed",
        "The marketplace's operator removed your second factor and signed you out everywhere, as you asked.",
    ),
    "token": ("An API token was made", "The API token “{0}” was made. A program that has it works in your name."),
    "payouts_to": (
        "Your payouts go to another bank account",
        "Payouts of your shop go to {0} from now on. Nothing is sent there for some days, so that there is time to stop"
        " it.",
    ),
    "handed_over": (
        "You handed your shop over",
        "You handed over “{0}”. You are in its team for orders and listings, and the API tokens ended.",
    ),
    "sign_in": ("A new sign-in", "Somebody signed in to your account with a browser that was not used for it before."),
}


def tell_owner(
    *,
    user: User,
    what: str,
    now: datetime,
    about: str = "",
    place: str = "",
    to: str = "",
    path: str = "/accounts/2fa/",
) -> None:
    """`place` is the browser and the address in words; `to` the address from before, where it is another one."""
    subject, sentence = WORDS[what]
    if what in NOTED:
        account_note(person=user, action=NOTED[what], now=now, place=place)
    lines = [
        f"{sentence.format(about)}",
        "",
        f"When: {moment(now)}",
        *([f"From: {place}"] if place else []),
        "",
        "If this was you, there is nothing to do. If it was not, set a new password now, which signs out everybody"
        f" else: {settings.BASE_URL}/accounts/password/reset/",
        f"Then look at what is set up for your account: {settings.BASE_URL}{path}",
    ]
    write_mail(
        cause=f"notice:{what}:{public_id()}",
        to=to or user.email,
        subject=f"{site_name()}: {subject}",
        body="\n".join(lines),
        now=now,
    )
