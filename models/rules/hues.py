"""The accent colour that a collective may choose: a hue by name. How light it is is computed, so that it can always be read."""

import colorsys
from collections.abc import Mapping
from typing import Final

READABLE: Final = 7.0  # contrast that we aim at; WCAG AA asks for 4.5

HUES: Final[Mapping[str, int]] = {
    "red": 0,
    "brick": 18,
    "amber": 38,
    "olive": 62,
    "leaf": 110,
    "pine": 150,
    "teal": 175,
    "sea": 195,
    "sky": 210,
    "indigo": 235,
    "violet": 270,
    "plum": 315,
}

# The backgrounds on which the accent stands, those of `server/static/jura.css`; a test holds the two together.
LIGHT: Final = ("#ffffff", "#f7f7f3", "#edf2ee")
DARK: Final = ("#1a1f1c", "#131715", "#212a25")
ON_LIGHT: Final = "#ffffff"  # words on the accent itself
ON_DARK: Final = "#0c1512"


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def accents(degrees: int) -> tuple[str, str]:
    """The accent of a hue in the light and in the dark: as vivid as can be read on every background of ours."""
    light = next(
        colour
        for step in range(60, -1, -1)
        if _worst(colour := _drawn(degrees, step, 0.6), (*LIGHT, ON_LIGHT)) >= READABLE
    )
    dark = next(
        colour
        for step in range(40, 101)
        if _worst(colour := _drawn(degrees, step, 0.5), (*DARK, ON_DARK)) >= READABLE
    )
    return light, dark


def sheet(degrees: int) -> str:
    """The style that sets the accent to this hue; it is read after the stylesheet."""
    light, dark = accents(degrees)
    return (
        f":root{{--accent:{light};--on-accent:{ON_LIGHT}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--accent:{dark};--on-accent:{ON_DARK}}}}}\n"
        "@media print{:root{--accent:#000;--on-accent:#fff}}\n"
    )


def _drawn(degrees: int, lightness: int, saturation: float) -> str:
    parts = colorsys.hls_to_rgb(degrees % 360 / 360, lightness / 100, saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _worst(colour: str, backgrounds: tuple[str, ...]) -> float:
    return min(contrast(colour, one) for one in backgrounds)
