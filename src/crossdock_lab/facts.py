"""Facts, one line each: ok or FAIL, rule, platform, mode, what was seen.

The story and the checks are nothing but such lines.
"""

from dataclasses import dataclass, field


class Enough(Exception):
    """The first wrong fact was all that was wanted."""


@dataclass
class Facts:
    """Prints as it goes; a FAIL makes the exit code 1. `first_wrong` ends the play there: a planted bug was noticed."""

    first_wrong: bool = False
    good: int = 0
    bad: list[str] = field(default_factory=list)

    def see(self, true: bool, rule: str, platform: str, mode: str, seen: str) -> bool:
        line = f"{'ok  ' if true else 'FAIL'} {rule:<4} {platform:<12} {mode:<12} {seen}"
        print(line, flush=True)
        if true:
            self.good += 1
        else:
            self.bad.append(line)
            if self.first_wrong:
                raise Enough
        return true

    def end(self) -> int:
        print(f"{self.good} passed, {len(self.bad)} failed", flush=True)
        return 1 if self.bad else 0
