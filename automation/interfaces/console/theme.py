"""The console's two themes, and the same colours for what is drawn by hand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

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
    price, shade : str
        The market's price, and equity over time; what lies under its line.
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
    shade: str


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
    shade="#38345a",
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
    shade="#ded8f2",
)
# each of these colours is one of the 256 itself: nothing is rounded to a neighbour that means something else
DARK_256 = Palette(
    ground="#121212",
    raised="#262626",
    lifted="#3a3a3a",
    ink="#e4e4e4",
    quiet="#a8a8a8",
    frame="#585858",
    accent="#5fd7ff",
    good="#5fd787",
    warn="#ffd75f",
    bad="#ff8787",
    buy="#5fd787",
    sell="#ffaf5f",
    price="#d7afff",
    shade="#5f5f87",
)
LIGHT_256 = Palette(
    ground="#ffffff",
    raised="#eeeeee",
    lifted="#d7ffff",
    ink="#1c1c1c",
    quiet="#626262",
    frame="#b2b2b2",
    accent="#005faf",
    good="#005f00",
    warn="#875f00",
    bad="#af0000",
    buy="#005f00",
    sell="#af005f",
    price="#5f00af",
    shade="#d7d7ff",
)
# with sixteen, no panel can differ from the ground; on white neither green nor yellow can be read, so blue is good
DARK_16 = Palette(
    ground="#000000",
    raised="#000000",
    lifted="#0000aa",
    ink="#ffffff",
    quiet="#aaaaaa",
    frame="#555555",
    accent="#55ffff",
    good="#55ff55",
    warn="#ffff55",
    bad="#ff5555",
    buy="#55ff55",
    sell="#ffff55",
    price="#ff55ff",
    shade="#555555",
)
LIGHT_16 = Palette(
    ground="#ffffff",
    raised="#ffffff",
    lifted="#55ffff",
    ink="#000000",
    quiet="#555555",
    frame="#aaaaaa",
    accent="#0000aa",
    good="#0000aa",
    warn="#aa00aa",
    bad="#aa0000",
    buy="#0000aa",
    sell="#aa0000",
    price="#aa00aa",
    shade="#aaaaaa",
)


class Depth(StrEnum):
    """How many colours a terminal shows."""

    TRUE = "truecolor"
    MANY = "256"
    FEW = "standard"


PALETTES = {
    ("dark", Depth.TRUE): DARK,
    ("light", Depth.TRUE): LIGHT,
    ("dark", Depth.MANY): DARK_256,
    ("light", Depth.MANY): LIGHT_256,
    ("dark", Depth.FEW): DARK_16,
    ("light", Depth.FEW): LIGHT_16,
}
PREFIX = "gridbot"


def theme_name(theme: str, depth: Depth = Depth.TRUE) -> str:
    """Return the full name of a theme, such as ``gridbot-dark-truecolor``.

    Parameters
    ----------
    theme : str
        ``dark`` or ``light``.
    depth : Depth
        Colours of the terminal.
    """
    return f"{PREFIX}-{theme}-{depth.value}"


def depth_of(colour_system: str | None) -> Depth:
    """Return a terminal's depth by what Rich calls it; what Rich cannot tell is taken for all colours.

    Parameters
    ----------
    colour_system : str, optional
        ``standard``, ``256``, ``truecolor`` or ``windows``.
    """
    if colour_system == "windows":
        return Depth.FEW
    return Depth(colour_system) if colour_system in set(Depth) else Depth.TRUE


def palette_of(theme: str) -> Palette:
    """Return the colours of a theme by its full name; dark for any other."""
    return _BY_NAME.get(theme, DARK)


def ansi_colours(palette: Palette) -> TerminalTheme:
    """Return what the sixteen colours of a terminal look like: those that results are told in."""
    # black, red, green, yellow, blue, magenta, cyan, white; the bright ones are the same
    told = [palette.frame, palette.bad, palette.good, palette.warn]
    told += [palette.accent, palette.price, palette.accent, palette.ink]
    sixteen = [parse_rgb_hex(colour[1:]) for colour in told]
    ground, ink = parse_rgb_hex(palette.ground[1:]), parse_rgb_hex(palette.ink[1:])
    return TerminalTheme(ground, ink, [(red, green, blue) for red, green, blue in sixteen])


_BY_NAME = {theme_name(*key): palette for key, palette in PALETTES.items()}


def themes() -> list[Theme]:
    """Return the themes for Textual: dark and light for each depth."""
    return [_theme(name, depth, palette) for (name, depth), palette in PALETTES.items()]


def _theme(name: str, depth: Depth, palette: Palette) -> Theme:
    return Theme(
        name=theme_name(name, depth),
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
