"""Which session a sentence means."""

from __future__ import annotations

import re

from automation.assistant.filling import Filling

_MODES = ("paper", "live")


def fill_session(filling: Filling, *, known_only: bool = True, by_coin: bool = True) -> None:
    """Fill the session's name: as it is named, by its coin or mode, or the only one that there is.

    Parameters
    ----------
    filling : Filling
        Its field ``session`` is set where the sentence leaves no doubt.
    known_only : bool
        Whether the session must be there, or is about to be begun.
    by_coin : bool
        Whether "the bitcoin session" is looked up.
    """
    named = filling.reading.mentions.first("session")
    if named is not None:
        filling.put("session", named)
        return
    if not by_coin:
        return
    filling.put("session", session_meant(filling))
    if known_only:
        filling.put("session", filling.before.get("session"))


def session_meant(filling: Filling, *, surely: bool = False) -> str | None:
    """Return the one session that fits the coins, the mode and the words of a sentence.

    Parameters
    ----------
    filling : Filling
        The sentence.
    surely : bool
        Whether the sentence must say more than that there is a session.
    """
    names = list(filling.names.sessions)
    text = filling.lowered
    coins = [str(each.value).partition("/")[0].lower() for each in filling.reading.mentions.all("symbol")]
    words = set(re.findall(r"[a-z0-9]+", text))
    narrowed = names
    if coins:
        narrowed = [name for name in narrowed if any(coin in re.split(r"[-_]", name) for coin in coins)]
    modes = [mode for mode in _MODES if re.search(rf"\b{mode}\b", text)]
    if modes:
        narrowed = [name for name in narrowed if name.partition("-")[0] in modes] or narrowed
    if not coins:
        # "the night session" is night-grid; words that all names share say nothing
        telling = {name: words & set(re.split(r"[-_]", name)) for name in narrowed}
        shared = set.intersection(*telling.values()) if telling else set()
        fitting = [name for name, own in telling.items() if own - shared - {"session", "grid"}]
        narrowed = fitting or narrowed
    if len(narrowed) > 1:
        running = set(filling.names.running_sessions)
        narrowed = [name for name in narrowed if name in running] or narrowed
    told = surely and narrowed == names and not re.search(r"\bsessions?\b", text)
    return narrowed[0] if len(narrowed) == 1 and not told else None
