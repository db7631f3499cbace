"""`python -m crossdock_lab story`: a fresh world, the loop on every platform with the faults on, one line per fact.
`--break NAME` plants a bug and must end in FAIL.

Each platform plays in a process and a marketplace of its own, several side by side, since most of the time is spent
waiting. A scene that went wrong beside the others is played once more, alone, as a test is: if it is right then, the
end says `flaky:` with its name, and it counts as right.
"""

import argparse
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence

from crossdock.cli.trouble import Trouble
from crossdock_lab import planted, scenes
from crossdock_lab.facts import Enough, Facts
from crossdock_lab.stage import Stage, stages
from crossdock_lab.trial import Trial, Waited

# Marketplaces that run at once; more make two processors no faster. A planted bug is mostly noticed on the first
# platform that plays.
AT_ONCE, AT_ONCE_WITH_A_BUG = 4, 2
# More wrong scenes than a loaded machine explains are believed at once.
MOST_AGAIN = 6
# Before the name of a scene that was not all right, on a line of its own.
_WRONG_SCENE = "wrong scene: "
# How a child's last line ends (Facts.end).
_END = " failed"


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--break", dest="bug", default="", help="plant a bug: " + ", ".join(scenes.BUGS))
    parser.add_argument("--every-bug", action="store_true", help="plant each of them in turn; all must be noticed")
    parser.add_argument(
        "--platform", action="append", default=[], help="only these platforms; may be given several times"
    )
    parser.add_argument("--scene", action="append", default=[], help="only these scenes, by the name of their function")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth platform")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="with --every, counted from the Kth")


def each(nth: int, names: list[str], first: int = 0) -> list[str]:
    """Each `nth` of them, counted from `first` on, which may be any number. Raises Trouble."""
    if nth < 1:
        raise Trouble("--every takes a number from 1 on.")
    return names[first % nth :: nth]


def run(args: argparse.Namespace) -> int:
    from crossdock.kit import discover

    names = args.platform or list(discover.connectors())
    names = each(args.every, names, args.first)
    # One of a platform's own is noticed there or nowhere.
    names = sorted(names, key=lambda name: args.bug not in planted.of_platform(name))
    known = {scene.__name__ for scene in scenes.SCENES}
    if unknown := set(args.scene) - known:
        raise Trouble(f"There is no scene {', '.join(sorted(unknown))}. There are: {', '.join(sorted(known))}.")
    if args.every_bug:
        return every_bug(names)
    if len(names) == 1:
        return play(names[0], args.bug, args.scene)
    return side_by_side(names, args.bug, args.scene).end()


def every_bug(names: list[str]) -> int:
    """A play for each planted bug. One that breaks down without a wrong fact was not noticed."""
    missed = []
    for bug in scenes.BUGS:
        print(f"=== planted: {bug}", flush=True)
        bad = side_by_side(names, bug).bad
        if not any(line.split()[1] != "-" for line in bad):
            missed.append(bug)
    print(f"{len(scenes.BUGS) - len(missed)} planted bugs were noticed, {len(missed)} were not", flush=True)
    if missed:
        print(f"not noticed: {', '.join(missed)}", flush=True)
    return 1 if missed else 0


def side_by_side(names: list[str], bug: str, only: Sequence[str] = ()) -> Facts:
    """A child per platform. A child that does not come to its end is a FAIL itself, whatever it said before."""
    facts = Facts()
    wrong_scenes: dict[tuple[str, str], list[str]] = {}
    lock, room = threading.Lock(), threading.Semaphore(AT_ONCE_WITH_A_BUG if bug else AT_ONCE)
    children: list[subprocess.Popen[str]] = []

    def follow(name: str) -> None:
        with room:
            if not (bug and facts.bad):
                played(name)

    def played(name: str) -> None:
        words = [
            sys.executable,
            "-m",
            "crossdock_lab",
            "story",
            "--platform",
            name,
            *(["--break", bug] if bug else []),
            *(word for name in only for word in ("--scene", name)),
        ]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
            children.append(child)
            assert child.stdout is not None
            said = ended = False
            heard: list[str] = []
            for line in child.stdout:
                ended = line.rstrip().endswith(_END)
                if line.startswith(_WRONG_SCENE):
                    wrong_scenes[name, line.removeprefix(_WRONG_SCENE).strip()] = heard
                    heard = []
                    continue
                with lock:
                    _count(facts, line)
                wrong = line.startswith("FAIL ")
                if wrong:
                    heard.append(line.rstrip())
                if wrong and bug and not said:
                    # Noticed on one platform: the others need not go on.
                    for other in children:
                        if other is not child:
                            other.terminate()
                said = said or wrong
        with lock:
            # What was wrong before it broke off may be right alone; what it did not come to is not.
            if (not ended or (child.returncode and not said)) and not (bug and facts.bad):
                facts.see(False, "-", name, "-", f"the story ended with code {child.returncode}")

    threads = [threading.Thread(target=follow, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return facts if bug else once_more(facts, wrong_scenes, _alone)


def once_more(facts: Facts, wrong: Mapping[tuple[str, str], list[str]], right: Callable[[str, str], bool]) -> Facts:
    """`facts`, less the lines of the scenes in `wrong`, by (platform, scene), that are `right` when played alone."""
    if len(wrong) > MOST_AGAIN:
        return facts
    for (platform, scene), lines in wrong.items():
        print(f"\n=== once more, alone: {scene} on {platform}", flush=True)
        if right(platform, scene):
            print(f"flaky: {scene} on {platform}", flush=True)
            for line in lines:
                # Once: another scene may have said the same.
                facts.bad.remove(line)
    return facts


def _alone(platform: str, scene: str) -> bool:
    words = [sys.executable, "-m", "crossdock_lab", "story", "--platform", platform, "--scene", scene]
    return subprocess.run(words, check=False).returncode == 0


def _count(facts: Facts, line: str) -> None:
    """A child's line, passed on; its own closing line is left out."""
    if line.startswith("ok   "):
        facts.good += 1
    elif line.startswith("FAIL "):
        facts.bad.append(line.rstrip())
    elif line.rstrip().endswith(_END):
        return
    print(line, end="", flush=True)


def play(platform: str, bug: str, only: Sequence[str] = ()) -> int:
    facts = Facts(first_wrong=bool(bug))
    # Programs that buy for people are off without a word of the operator.
    with Trial(environment={"CROSSDOCK_AGENTS": "true", "CROSSDOCK_AGENTS_UCP": "true"}, bug=bug) as trial:
        trial.start_web()
        trial.worker.start()
        for stage in stages(trial, facts, [platform]):
            for scene in _chosen(bug, only):
                before = len(facts.bad)
                if not _plays(scene, stage, facts, bug):
                    return facts.end()
                if len(facts.bad) > before:
                    print(f"{_WRONG_SCENE}{scene.__name__}", flush=True)
    return facts.end()


def _plays(scene: scenes.Scene, stage: Stage, facts: Facts, bug: str) -> bool:
    """False when a planted bug was noticed, which is all that was wanted."""
    try:
        scene(stage)
    except Enough:
        return False
    except Exception as wrong:
        # The scenes behind it are played all the same.
        late = isinstance(wrong, Waited)
        why = str(wrong).splitlines()[0] if late else repr(wrong)
        facts.bad.append(scene.__name__)
        print(f"FAIL -    {stage.platform:<12} as-described {scene.__name__}: {why}", flush=True)
        if not bug:
            print(wrong if late else traceback.format_exc())
    finally:
        stage.calm()
    return True


def _chosen(bug: str, only: Sequence[str]) -> Iterable[scenes.Scene]:
    """All of them, or those that were named; with a planted bug only those that are there to notice it, so that it is
    noticed for the right reason.
    """
    chosen = scenes.BUGS.get(bug, scenes.SCENES)
    return [scene for scene in chosen if scene.__name__ in only] if only else chosen
