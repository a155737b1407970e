"""Both themes can be read: every ink stands out from every ground it is used on."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from textual.color import Color

from automation.interfaces.console.theme import PALETTES, Palette, palette_of, themes

GROUNDS = ("ground", "raised", "lifted")
INKS = ("ink", "accent", "good", "warn", "bad", "buy", "sell", "price")


def _contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [pytest.param(one, id=name) for name, one in PALETTES.items()])
def test_text_has_the_contrast_that_accessibility_asks_for(palette: Palette) -> None:
    colours = asdict(palette)
    weak = {
        (ink, ground): round(_contrast(colours[ink], colours[ground]), 2)
        for ink in INKS
        for ground in GROUNDS
        if _contrast(colours[ink], colours[ground]) < 4.5
    }
    assert weak == {}
    assert min(_contrast(palette.quiet, colours[ground]) for ground in GROUNDS) >= 4.0


def test_each_colour_is_a_variable_for_css_and_a_theme_has_its_palette() -> None:
    for theme in themes():
        assert asdict(palette_of(theme.name)).items() <= theme.variables.items()
    assert palette_of("some other theme") is PALETTES["dark"]
