"""Both themes can be read: every ink stands out from every ground it is used on."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.terminal_theme import TerminalTheme
from textual.color import Color

from automation.interfaces.console.theme import PALETTES, Depth, depth_of, palette_of, themes

GROUNDS = ("ground", "raised", "lifted")
# what Rich takes the sixteen colours of a terminal for
_LOW = [(0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)]
_HIGH = [(red + 85, green + 85, blue + 85) for red, green, blue in _LOW]
_HIGH[3] = (255, 255, 85)
_SIXTEEN = TerminalTheme((0, 0, 0), (255, 255, 255), _LOW, _HIGH)
INKS = ("ink", "accent", "good", "warn", "bad", "buy", "sell", "price")


def _shown(theme: str, depth: Depth) -> dict[str, str]:
    """The palette as a terminal of that depth shows it."""
    system = {Depth.TRUE: ColorSystem.TRUECOLOR, Depth.MANY: ColorSystem.EIGHT_BIT, Depth.FEW: ColorSystem.STANDARD}
    return {
        meaning: RichColor.parse(colour).downgrade(system[depth]).get_truecolor(_SIXTEEN).hex
        for meaning, colour in asdict(PALETTES[theme, depth]).items()
    }


def _contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("theme", "depth"), PALETTES)
def test_text_has_the_contrast_that_accessibility_asks_for(theme: str, depth: Depth) -> None:
    colours = _shown(theme, depth)
    # sixteen colours hold no red that is lighter
    least = 4.2 if (theme, depth) == ("dark", Depth.FEW) else 4.5
    weak = {
        (ink, ground): round(_contrast(colours[ink], colours[ground]), 2)
        for ink in INKS
        for ground in GROUNDS
        if _contrast(colours[ink], colours[ground]) < least
    }
    assert weak == {}
    assert min(_contrast(colours["quiet"], colours[ground]) for ground in GROUNDS) >= 4.0


@pytest.mark.parametrize("depth", [Depth.MANY, Depth.FEW])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_terminal_with_fewer_colours_shows_what_its_palette_says(theme: str, depth: Depth) -> None:
    shown = _shown(theme, depth)
    for meaning, colour in asdict(PALETTES[theme, depth]).items():
        parts = zip(Color.parse(shown[meaning]).rgb, Color.parse(colour).rgb, strict=True)
        # Rich takes some greys for their neighbours
        assert max(abs(one - other) for one, other in parts) <= 10, (meaning, shown[meaning], colour)
    assert len({shown[meaning] for meaning in ("good", "warn", "bad", "ink")}) == 4
    assert shown["buy"] != shown["sell"]


def test_a_terminal_of_unknown_depth_is_taken_for_one_that_shows_all() -> None:
    told = [depth_of(name) for name in ("truecolor", "256", "standard", "windows", None)]
    assert told == [Depth.TRUE, Depth.MANY, Depth.FEW, Depth.FEW, Depth.TRUE]


def test_each_colour_is_a_variable_for_css_and_a_theme_has_its_palette() -> None:
    assert len({theme.name for theme in themes()}) == len(PALETTES) == 6
    for theme in themes():
        assert asdict(palette_of(theme.name)).items() <= theme.variables.items()
    assert palette_of("some other theme") is PALETTES["dark", Depth.TRUE]
