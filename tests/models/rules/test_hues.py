"""Whatever hue a collective chooses, its accent can be read on every background of ours, in the light and in the dark."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from models.rules.hues import DARK, HUES, LIGHT, ON_DARK, ON_LIGHT, accents, contrast, sheet

STYLE = Path(__file__).resolve().parents[3] / "server" / "static" / "jura.css"


@given(st.integers(-1000, 1000))
def test_every_hue_can_be_read(degrees: int) -> None:
    light, dark = accents(degrees)
    assert min(contrast(light, one) for one in (*LIGHT, ON_LIGHT)) >= 4.5
    assert min(contrast(dark, one) for one in (*DARK, ON_DARK)) >= 4.5


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#777777") == 1
    assert round(contrast("#ffffff", "#767676"), 2) == 4.54


def test_the_backgrounds_are_those_of_the_stylesheet() -> None:
    light, dark = re.findall(r":root \{\n(.*?)\}", STYLE.read_text(encoding="utf-8"), re.DOTALL)[:2]
    for tokens, backgrounds in ((light, LIGHT), (dark, DARK)):
        found = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", tokens))
        assert {found["sheet"], found["paper"], found["wash"]} == set(backgrounds)


def test_a_dozen_hues_that_can_be_told_apart() -> None:
    assert len(HUES) == 12
    assert len({sheet(degrees) for degrees in HUES.values()}) == 12
