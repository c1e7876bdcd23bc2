"""Large digits for the terminal, five rows high."""

from __future__ import annotations

ROWS = 5

_FONT = {
    "0": ("███", "█ █", "█ █", "█ █", "███"),
    "1": (" █ ", "██ ", " █ ", " █ ", "███"),
    "2": ("███", "  █", "███", "█  ", "███"),
    "3": ("███", "  █", " ██", "  █", "███"),
    "4": ("█ █", "█ █", "███", "  █", "  █"),
    "5": ("███", "█  ", "███", "  █", "███"),
    "6": ("███", "█  ", "███", "█ █", "███"),
    "7": ("███", "  █", " █ ", " █ ", " █ "),
    "8": ("███", "█ █", "███", "█ █", "███"),
    "9": ("███", "█ █", "███", "  █", "███"),
    ".": (" ", " ", " ", " ", "█"),
    ",": (" ", " ", " ", "█", "█"),
    "-": ("   ", "   ", "███", "   ", "   "),
    "?": ("███", "  █", " ██", "   ", " █ "),
}


def large(text: str) -> tuple[str, ...]:
    """Five lines that show `text`; each pixel is two columns wide, because cells are twice as high.

    Raises:
        KeyError: for characters other than digits, ".", ",", "-" and "?".
    """
    glyphs = [_FONT[character] for character in text]
    rows = (" ".join(glyph[row] for glyph in glyphs) for row in range(ROWS))
    return tuple("".join(2 * pixel for pixel in row) for row in rows)
