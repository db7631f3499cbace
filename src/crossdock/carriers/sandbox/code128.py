"""GS1-128 for pairs of digits: Code 128 in set C, begun by FNC1, with its check character.

Bars and spaces as widths in modules.
"""

from collections.abc import Sequence

# Symbol 0 to 105 as widths of bar, space, bar, space, bar, space (ISO/IEC 15417), and the stop.
_TABLE = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
123122 123221 223211 221132
221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321
112313 132113 132311 211313
231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321
331121 312113 312311 332111
314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211
221114 413111 241112 134111
111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
114311 411113 411311 113141
114131 311141 411131 211412 211214 211232
"""
_WIDTHS = _TABLE.split()
_FNC1, _START_C, _STOP = 102, 105, "2331112"


def widths(elements: Sequence[str]) -> tuple[int, ...]:
    """Alternating bars and spaces.

    Each element is an even number of digits, application identifier included; FNC1 stands before each.
    """
    symbols = [_START_C]
    for element in elements:
        if len(element) % 2 or not (element.isascii() and element.isdigit()):
            raise ValueError("Set C takes pairs of digits.")
        symbols += [_FNC1, *(int(element[at : at + 2]) for at in range(0, len(element), 2))]
    check = (symbols[0] + sum(place * symbol for place, symbol in enumerate(symbols[1:], 1))) % 103
    return tuple(int(width) for symbol in (*symbols, check) for width in _WIDTHS[symbol]) + tuple(map(int, _STOP))


def check_digit(digits: str) -> str:
    """GS1's check digit: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)
