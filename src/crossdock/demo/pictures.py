"""The demo's cards, drawn: one word decides the whole picture, so nothing is stored and the same card always looks the
same.

A card is a creature made of soft shapes in front of a landscape, with a frame, its name and a rarity mark. The seed is
`element-kind-number`, such as `ember-fox-12`; any other word gives a picture too.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 500, 700


@dataclass(frozen=True, slots=True)
class Palette:
    sky: tuple[str, str]
    hills: tuple[str, str]
    body: str
    dark: str
    glow: str
    frame: str


PALETTES: dict[str, Palette] = {
    "ember": Palette(("#ffd9a0", "#f0643c"), ("#a3302b", "#6b1f2a"), "#ff9b42", "#7c2418", "#fff0c2", "#8f2f1f"),
    "tide": Palette(("#c9f0f2", "#3f8fc4"), ("#1f5f8f", "#143f66"), "#4fc1d9", "#123a5c", "#eafcff", "#1b4f78"),
    "grove": Palette(("#eaf6c8", "#7fbf6a"), ("#3c7a45", "#24512f"), "#9fd356", "#1f4527", "#fbffe0", "#2d5d36"),
    "gale": Palette(("#f3f0ff", "#a9b8f0"), ("#6a78b8", "#454f8a"), "#d8dcff", "#39406f", "#ffffff", "#4b5592"),
    "stone": Palette(("#f4e6cf", "#c9a57a"), ("#8a6a4a", "#5b432f"), "#d9b88c", "#4a3423", "#fff6e3", "#6b4e36"),
    "dusk": Palette(("#f2c4e0", "#5b3a8c"), ("#35215e", "#1f1440"), "#b48ae8", "#1c1038", "#ffe6fb", "#3b2468"),
}
KINDS = ("fox", "moth", "whale", "golem", "owl", "drake")


def draw(seed: str) -> str:
    """The card's SVG, about 4 kB."""
    words = seed.split("-")
    dice = random.Random(seed)
    palette = PALETTES.get(words[0]) or PALETTES[dice.choice(sorted(PALETTES))]
    kind = words[1] if len(words) > 1 and words[1] in KINDS else dice.choice(KINDS)
    name = " ".join(word.capitalize() for word in words[:2]) if len(words) > 1 else seed.capitalize()
    number = words[-1] if words[-1].isdecimal() else str(dice.randrange(1, 99))
    scene = _scene(palette, dice) + _creature(kind, palette, dice)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(name)}"><defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0"'
        f' stop-color="{palette.sky[0]}"/><stop offset="1"'
        f' stop-color="{palette.sky[1]}"/></linearGradient><radialGradient id="glow"><stop offset="0"'
        f' stop-color="{palette.glow}" stop-opacity=".95"/><stop offset="1" stop-color="{palette.glow}"'
        ' stop-opacity="0"/></radialGradient><radialGradient id="body" cx=".38" cy=".3" r=".9"><stop offset="0"'
        f' stop-color="{palette.glow}"/><stop offset=".45" stop-color="{palette.body}"/><stop offset="1"'
        f' stop-color="{palette.dark}"/></radialGradient><clipPath id="window"><rect x="34" y="92" width="432"'
        f' height="452" rx="18"/></clipPath></defs><rect width="{WIDTH}" height="{HEIGHT}" rx="30"'
        f' fill="{palette.frame}"/><rect x="14" y="14" width="472" height="672" rx="20" fill="#fbf7ec"/><g'
        f' clip-path="url(#window)">{scene}</g><rect x="34" y="92" width="432" height="452" rx="18" fill="none"'
        f' stroke="{palette.frame}" stroke-width="5"/>{_words(name, number, palette, dice)}</svg>'
    )


def _words(name: str, number: str, palette: Palette, dice: random.Random) -> str:
    font = "font-family=\"Georgia, 'DejaVu Serif', serif\""
    stars = dice.randrange(1, 5)
    marks = "".join(
        f'<path d="M{420 - 30 * i} 574 l6 12 13 2 -9.5 9 2.5 13 -12 -6.5 -12 6.5 2.5 -13 -9.5 -9 13 -2z"'
        f' fill="{palette.body}" stroke="{palette.dark}" stroke-width="1.5"/>'
        for i in range(stars)
    )
    lines = "".join(
        f'<rect x="40" y="{630 + 14 * i}" width="{dice.randrange(220, 400)}" height="5" rx="2.5" fill="{palette.dark}"'
        ' opacity=".22"/>'
        for i in range(3)
    )
    return (
        f'<text x="40" y="66" {font} font-size="34" font-weight="700" fill="{palette.dark}">{escape(name)}</text><text'
        f' x="460" y="66" {font} font-size="26" text-anchor="end" fill="{palette.frame}">{escape(number)}</text><text'
        f' x="40" y="598" {font} font-size="22" font-style="italic"'
        f' fill="{palette.dark}">{_saying(dice)}</text>{marks}{lines}'
    )


def _saying(dice: random.Random) -> str:
    return dice.choice(
        (
            "It waits for rain.",
            "Older than the road.",
            "Never seen twice.",
            "It counts the stars.",
            "Quiet until touched.",
            "It keeps what it finds.",
            "Listens to the hill.",
        )
    )


def _scene(palette: Palette, dice: random.Random) -> str:
    sun = (dice.randrange(110, 390), dice.randrange(160, 270), dice.randrange(50, 90))
    parts = [
        '<rect x="34" y="92" width="432" height="452" fill="url(#sky)"/>',
        (
            f'<circle cx="{sun[0]}" cy="{sun[1]}" r="{sun[2] * 2.4:.0f}" fill="url(#glow)"/><circle cx="{sun[0]}"'
            f' cy="{sun[1]}" r="{sun[2]}" fill="{palette.glow}" opacity=".85"/>'
        ),
    ]
    for depth, (base, colour) in enumerate(((400, palette.hills[0]), (455, palette.hills[1]))):
        points = [(34 + 54 * i, base + dice.randrange(-38, 26)) for i in range(9)]
        parts.append(
            f'<path d="M34 560 {_smooth(points)} L466 560z" fill="{colour}" opacity="{0.75 + 0.25 * depth:.2f}"/>'
        )
    parts += [
        f'<circle cx="{dice.randrange(50, 450)}" cy="{dice.randrange(110, 380)}" r="{dice.uniform(1.5, 4):.1f}"'
        f' fill="{palette.glow}" opacity=".8"/>'
        for _ in range(22)
    ]
    return "".join(parts)


def _smooth(points: Sequence[tuple[float, float]]) -> str:
    """A curve through the points, as path commands."""
    words = [f"L{points[0][0]} {points[0][1]}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (x1 + x2) / 2
        words.append(f"C{middle} {y1} {middle} {y2} {x2} {y2}")
    return " ".join(words)


def _eyes(x: float, y: float, gap: float, size: float, palette: Palette) -> str:
    return "".join(
        f'<ellipse cx="{x + side * gap:.0f}" cy="{y:.0f}" rx="{size:.0f}" ry="{size * 1.2:.0f}"'
        f' fill="#fffdf6"/><ellipse cx="{x + side * gap + 2:.0f}" cy="{y + 2:.0f}" rx="{size * 0.55:.0f}"'
        f' ry="{size * 0.8:.0f}" fill="{palette.dark}"/><circle cx="{x + side * gap - 1:.0f}" cy="{y - 4:.0f}"'
        f' r="{size * 0.22:.1f}" fill="#fff"/>'
        for side in (-1, 1)
    )


def _creature(kind: str, palette: Palette, dice: random.Random) -> str:
    lean = dice.randrange(-6, 7)
    size = dice.uniform(0.92, 1.08)
    shapes = {"fox": _fox, "moth": _moth, "whale": _whale, "golem": _golem, "owl": _owl, "drake": _drake}[kind](
        palette, dice
    )
    shadow = f'<ellipse cx="250" cy="500" rx="120" ry="16" fill="{palette.dark}" opacity=".35"/>'
    return (
        f'{shadow}<g transform="translate(250 370) rotate({lean}) scale({size:.2f}) translate(-250 -370)"'
        f' stroke="{palette.dark}" stroke-width="4" stroke-linejoin="round">{shapes}</g>'
    )


def _fox(palette: Palette, dice: random.Random) -> str:
    tail = dice.randrange(30, 70)
    return (
        f'<path d="M320 480 q{90 + tail} -20 70 -{120 + tail} q-30 70 -110 70z" fill="url(#body)"/><path d="M385'
        f' {375 - tail} q12 20 2 44 q-18 -8 -20 -24z" fill="{palette.glow}"/><path d="M180 495 q-20 -120 70 -140 q90 20'
        ' 70 140z" fill="url(#body)"/><path d="M160 320 l-18 -96 68 44z M340 320 l18 -96 -68 44z"'
        ' fill="url(#body)"/><path d="M150 310 q100 -90 200 0 q-20 90 -100 104 q-80 -14 -100 -104z"'
        f' fill="url(#body)"/><path d="M200 350 q50 60 100 0 q-20 56 -50 62 q-30 -6 -50 -62z" fill="{palette.glow}"'
        f' stroke="none"/>{_eyes(250, 315, 46, 15, palette)}<path d="M240 372 h20 l-10 12z" fill="{palette.dark}"/>'
    )


def _moth(palette: Palette, dice: random.Random) -> str:
    spots = "".join(
        f'<circle cx="{250 + side * dx}" cy="{dy}" r="{r}" fill="{palette.glow}" opacity=".85"/>'
        for side in (-1, 1)
        for dx, dy, r in ((110, 290, 24), (92, 410, 17), (150, 330, 9))
    )
    wings = "".join(
        f'<path d="M{250 + side * 18} 340 C{250 + side * 60} 190 {250 + side * 210} 190 {250 + side * 190} 320'
        f' C{250 + side * 180} 380 {250 + side * 90} 380 {250 + side * 18} 360z" fill="url(#body)"/><path'
        f' d="M{250 + side * 16} 370 C{250 + side * 80} 370 {250 + side * 160} 410 {250 + side * 120} 470'
        f' C{250 + side * 90} 500 {250 + side * 40} 460 {250 + side * 14} 410z" fill="url(#body)"/>'
        for side in (-1, 1)
    )
    horns = "".join(
        f'<path d="M{250 + side * 12} 290 q{side * 16} -60 {side * dice.randrange(44, 66)} -70" fill="none"/>'
        for side in (-1, 1)
    )
    return (
        f'{wings}{spots}{horns}<path d="M226 310 q24 -34 48 0 l-8 130 q-16 34 -32 0z"'
        f' fill="{palette.body}"/>{_eyes(250, 312, 15, 9, palette)}'
    )


def _whale(palette: Palette, dice: random.Random) -> str:
    drops = "".join(
        f'<circle cx="{250 + 26 * math.sin(i * 1.3):.0f}" cy="{236 - 20 * i}" r="{9 - i}" fill="{palette.glow}"'
        ' stroke="none"/>'
        for i in range(dice.randrange(4, 7))
    )
    return (
        f'{drops}<path d="M380 360 q50 -70 70 -90 q10 50 -6 84 q30 20 20 60 q-50 -6 -84 -34z" fill="url(#body)"/><path'
        ' d="M70 390 q0 -130 170 -130 q170 0 180 110 q-40 110 -190 110 q-150 0 -160 -90z" fill="url(#body)"/><path'
        f' d="M84 420 q70 60 190 50 q80 -6 120 -50 q-60 74 -170 70 q-110 0 -140 -70z" fill="{palette.glow}"'
        ' stroke="none" opacity=".8"/><path d="M220 440 q30 60 80 60 q-10 -50 -40 -66z"'
        f' fill="url(#body)"/>{_eyes(160, 365, 34, 13, palette)}<path d="M120 410 q34 24 74 6" fill="none"/>'
    )


def _golem(palette: Palette, dice: random.Random) -> str:
    cracks = "".join(
        f'<path d="M{dice.randrange(190, 310)} {dice.randrange(330, 440)} l14 18 -6 16 16 20" fill="none"'
        f' stroke="{palette.glow}" stroke-width="5"/>'
        for _ in range(3)
    )
    return (
        '<path d="M96 350 q-20 80 20 130 h46 q-20 -60 0 -120z M404 350 q20 80 -20 130 h-46 q20 -60 0 -120z"'
        ' fill="url(#body)"/><path d="M180 420 h56 v80 h-64z M264 420 h56 l8 80 h-64z" fill="url(#body)"/><path'
        ' d="M140 310 l60 -36 h100 l60 36 -14 130 -46 34 h-100 l-46 -34z" fill="url(#body)"/><path d="M190 210 l30 -26'
        f' h60 l30 26 -6 66 -24 20 h-60 l-24 -20z" fill="url(#body)"/>{cracks}{_eyes(250, 238, 26, 11, palette)}<path'
        ' d="M226 270 h48" fill="none"/>'
    )


def _owl(palette: Palette, dice: random.Random) -> str:
    rows = "".join(
        f'<path d="M{206 + 30 * i + (15 if row % 2 else 0)} {392 + 24 * row} q14 18 28 0" fill="none"'
        ' stroke-width="3"/>'
        for row in range(3)
        for i in range(3 - row % 2)
    )
    tuft = dice.randrange(24, 46)
    return (
        '<path d="M150 300 q-50 120 20 190 q-6 -110 10 -170z M350 300 q50 120 -20 190 q6 -110 -10 -170z"'
        f' fill="{palette.body}"/><path d="M170 290 l-14 -{60 + tuft} 70 44 h48 l70 -44 -14 {60 + tuft} q40 200 -80 212'
        ' q-120 -12 -80 -212z" fill="url(#body)"/><path d="M200 370 q50 -24 100 0 q10 110 -50 122 q-60 -12 -50 -122z"'
        f' fill="{palette.glow}" opacity=".75" stroke="none"/>{rows}<circle cx="208" cy="314" r="40"'
        f' fill="{palette.glow}"/><circle cx="292" cy="314" r="40"'
        f' fill="{palette.glow}"/>{_eyes(250, 314, 42, 19, palette)}<path d="M238 340 h24 l-12 28z"'
        f' fill="{palette.frame}"/>'
    )


def _drake(palette: Palette, dice: random.Random) -> str:
    spikes = "".join(
        f'<path d="M{206 + 22 * i} {228 - 8 * (i % 2)} l10 -{dice.randrange(24, 40)} 12 26z" fill="{palette.frame}"/>'
        for i in range(4)
    )
    return (
        '<path d="M170 370 q-120 -40 -120 -150 q60 10 80 50 q10 -40 50 -50 q30 60 10 130z M330 370 q120 -40 120 -150'
        ' q-60 10 -80 50 q-10 -40 -50 -50 q-30 60 -10 130z" fill="url(#body)"/><path d="M300 470 q100 40 130 -30 q10'
        ' 60 -40 76 q-60 16 -110 -16z" fill="url(#body)"/><path d="M190 500 q-30 -150 60 -170 q90 20 60 170z"'
        ' fill="url(#body)"/><path d="M218 400 h64 M214 430 h72 M216 460 h68" fill="none"'
        f' stroke="{palette.glow}"/>{spikes}<path d="M176 270 q0 -70 74 -70 q74 0 74 70 q0 70 -74 96 q-74 -26 -74 -96z"'
        f' fill="url(#body)"/>{_eyes(250, 264, 36, 15, palette)}<path d="M236 318 h.1 M264 318 h.1" stroke-width="8"'
        ' stroke-linecap="round"/><path d="M222 340 q28 16 56 0" fill="none"/>'
    )
