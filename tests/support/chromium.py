"""A real Chromium for tests and plays: Debian's package, or the one that CROSSDOCK_CHROMIUM names."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

from crossdock_lab.patience import patient

_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


class NotHere(Exception):
    """What to do about it."""


def launched(playing: Playwright) -> Browser:
    """The caller closes it. Raises NotHere."""
    path = os.environ.get("CROSSDOCK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise NotHere("there is no Chromium here; install Debian's package, or name one in CROSSDOCK_CHROMIUM")
    return playing.chromium.launch(executable_path=path, args=[*_ARGUMENTS], timeout=patient(60_000))
