"""JSON with comments, as VS Code writes it: read for its values, edited without touching what a person wrote."""

from __future__ import annotations

import json
import re
from typing import cast

from trading.errors import Refused

# A string is matched first, so that what looks like a comment inside of one is left alone.
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[\]}])')


def read_jsonc(text: str, where: str) -> object:
    """Return the value of a JSON text that may hold comments and trailing commas.

    Parameters
    ----------
    text : str
        Empty stands for None.
    where : str
        What it is, for the error.

    Raises
    ------
    Refused
        When it is no JSON.
    """
    plain = _TRAILING_COMMA.sub(lambda match: match[1] or "", blanked(text))
    if not plain.strip():
        return None
    try:
        return cast("object", json.loads(plain))
    except json.JSONDecodeError as error:
        raise Refused(f"{where} is no valid JSON (line {error.lineno}: {error.msg}); mend it and try again") from None


def blanked(text: str) -> str:
    """Return a text whose comments are spaces, so that every other character keeps its place."""

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)

    return _TOKEN.sub(blank, text)


def written(value: object, header: str = "") -> str:
    """Return a value as JSON text, with a comment in its first line when there is something to say."""
    comment = f"// {header}\n" if header else ""
    return f"{comment}{json.dumps(value, indent=2, ensure_ascii=False)}\n"
