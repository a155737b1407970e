"""The console's two themes, and the same colours for what is drawn by hand."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rich.color import parse_rgb_hex
from rich.terminal_theme import TerminalTheme
from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they mean, as ``#rrggbb``; in CSS each is a variable of the same name, such as ``$good``.

    Parameters
    ----------
    ground, raised, lifted : str
        Backgrounds: of the screen, of panels and lists, of what is selected.
    ink, quiet : str
        Text: ordinary, and beside the point.
    frame : str
        Lines and borders.
    accent : str
        What has the focus, keys, links.
    good, warn, bad : str
        How things stand.
    buy, sell : str
        The two sides of a trade.
    price : str
        The market's price, and equity over time.
    """

    ground: str
    raised: str
    lifted: str
    ink: str
    quiet: str
    frame: str
    accent: str
    good: str
    warn: str
    bad: str
    buy: str
    sell: str
    price: str


DARK = Palette(
    ground="#0f141b",
    raised="#171e28",
    lifted="#25354a",
    ink="#d9e0ea",
    quiet="#8a98ab",
    frame="#33414f",
    accent="#5cc8ff",
    good="#57d38c",
    warn="#f0b952",
    bad="#ff7a78",
    buy="#57d38c",
    sell="#ff9d66",
    price="#b7a6ff",
)
LIGHT = Palette(
    ground="#fbfaf7",
    raised="#f0eee8",
    lifted="#d5e4f2",
    ink="#1d2733",
    quiet="#5c6672",
    frame="#b9b8b1",
    accent="#00639a",
    good="#146c3c",
    warn="#805300",
    bad="#b3261e",
    buy="#146c3c",
    sell="#a34700",
    price="#5b3fb5",
)
PALETTES = {"dark": DARK, "light": LIGHT}
PREFIX = "gridbot-"


def palette_of(theme: str) -> Palette:
    """Return the colours of a theme by its full name, such as ``gridbot-dark``; dark for any other."""
    return PALETTES.get(theme.removeprefix(PREFIX), DARK)


def ansi_colours(palette: Palette) -> TerminalTheme:
    """Return what the sixteen colours of a terminal look like: those that results are told in."""
    # black, red, green, yellow, blue, magenta, cyan, white; the bright ones are the same
    told = [palette.frame, palette.bad, palette.good, palette.warn]
    told += [palette.accent, palette.price, palette.accent, palette.ink]
    sixteen = [parse_rgb_hex(colour[1:]) for colour in told]
    ground, ink = parse_rgb_hex(palette.ground[1:]), parse_rgb_hex(palette.ink[1:])
    return TerminalTheme(ground, ink, [(red, green, blue) for red, green, blue in sixteen])


def themes() -> list[Theme]:
    """Return the themes for Textual, ``gridbot-dark`` and ``gridbot-light``."""
    return [_theme(name, palette) for name, palette in PALETTES.items()]


def _theme(name: str, palette: Palette) -> Theme:
    return Theme(
        name=PREFIX + name,
        dark=name == "dark",
        primary=palette.accent,
        secondary=palette.price,
        accent=palette.accent,
        foreground=palette.ink,
        background=palette.ground,
        surface=palette.raised,
        panel=palette.lifted,
        success=palette.good,
        warning=palette.warn,
        error=palette.bad,
        variables={
            **asdict(palette),
            "border": palette.accent,
            "border-blurred": palette.frame,
            "footer-key-foreground": palette.accent,
            "footer-background": palette.raised,
            "footer-foreground": palette.ink,
            "footer-description-foreground": palette.ink,
            "block-cursor-foreground": palette.ink,
            "block-cursor-background": palette.lifted,
            "block-cursor-blurred-foreground": palette.ink,
            "block-cursor-blurred-background": palette.lifted,
            "scrollbar": palette.frame,
            "scrollbar-hover": palette.quiet,
            "scrollbar-active": palette.accent,
            "scrollbar-background": palette.ground,
            "scrollbar-background-hover": palette.ground,
            "scrollbar-background-active": palette.ground,
            "scrollbar-corner-color": palette.ground,
            "input-selection-background": palette.lifted,
        },
    )
