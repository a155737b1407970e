"""Secrets in text made unreadable before it is stored, shown or handed to a model.

Only the standard library is imported, so that a sandboxed process can load this file by its path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

MASK = "***"
_SHORTEST_SECRET = 6
_SHORTEST_HALF = 4
_CUT = "..."
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE", re.IGNORECASE)
_NAMED = (
    r"(?:(?:api|access|auth|secret|private|signing|encryption)[_-]?key|secret|token|password|passwd|passphrase|apikey)"
)
_NAMED_VARIABLE = r"(?:KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE)"

_WHOLE = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        r"\bsk-[A-Za-z0-9_-]{16,}",
        r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bglpat-[A-Za-z0-9_-]{16,}",
        r"\bhf_[A-Za-z0-9]{20,}",
        r"\bpypi-[A-Za-z0-9_-]{32,}",
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"\bAIza[A-Za-z0-9_-]{30,}",
        r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        # pytest leaves out the middle of a long value before anyone can mask it
        r"\b(?:sk-|gh[pousr]_|github_pat_|glpat-|hf_|pypi-|AKIA|ASIA|AIza|xox[abprs]-)[A-Za-z0-9_-]{3,}\.\.\.[A-Za-z0-9_-]*",
        # An exchange's key or secret: 64 letters and digits, mixed (a SHA-256 in hex has no letter past f).
        r"\b(?=[a-zA-Z0-9]*[g-zG-Z])(?=[a-zA-Z0-9]*\d)[A-Za-z0-9]{64}\b",
    )
)
_VALUE = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b([Bb]earer|[Bb]asic)\s+[A-Za-z0-9._~+/=-]{8,}", rf"\1 {MASK}"),
        (r"(://[^/\s:@'\"]*):[^/\s@'\"]+@", rf"\1:{MASK}@"),
        # Only quoted values and variables in capitals: `sorted(rows, key=first)` must stay as it is.
        (rf"(?i)([\"']?\b\w*{_NAMED}[\"']?\s*[=:]\s*)([\"'])[^\"'\s]{{{_SHORTEST_SECRET},}}\2", rf"\1\2{MASK}\2"),
        (rf"(\b[A-Z0-9_]*_?{_NAMED_VARIABLE}=)[^\s\"'&;,)]{{{_SHORTEST_SECRET},}}", rf"\1{MASK}"),
        (r"(?i)([?&](?:signature|apikey|api_key|token)=)[^\s&\"']+", rf"\1{MASK}"),
    )
)


def masked(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a text with everything that looks like a secret replaced by three asterisks.

    Parameters
    ----------
    text : str
        Log lines, source code, tracebacks, prompts.
    environment : mapping of str to str, optional
        Variables whose values are masked wherever they occur, when their names look secret (``…KEY``, ``…TOKEN``,
        ``…PASSWORD``); None takes those of this process.

    Returns
    -------
    str
        The same text; masking it again changes nothing.
    """
    text = masked_values(text, environment)
    for pattern in _WHOLE:
        text = pattern.sub(MASK, text)
    for pattern, replacement in _VALUE:
        text = pattern.sub(replacement, text)
    return text


def masked_values(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a text without the values of variables whose names look secret, and with all else as it is.

    For source code on its way to a model, of which nothing else may be changed.

    Parameters
    ----------
    text, environment
        As for `masked`.
    """
    return values_masker(environment)(text)


def values_masker(environment: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """Return what `masked_values` does, for many texts and one environment."""
    secrets = _secret_values(os.environ if environment is None else environment)

    def mask(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, MASK)
        return _without_halves(text, secrets) if secrets and _CUT in text else text

    return mask


def _without_halves(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        for size in range(len(secret) - 1, _SHORTEST_HALF - 1, -1):
            text = text.replace(secret[:size] + _CUT, MASK + _CUT).replace(_CUT + secret[-size:], _CUT + MASK)
    return text


def _secret_values(environment: Mapping[str, str]) -> list[str]:
    values = {
        value.strip()
        for name, value in environment.items()
        if _SECRET_NAME.search(name) and len(value.strip()) >= _SHORTEST_SECRET
    }
    # The longest first: one secret may be the beginning of another.
    return sorted(values, key=lambda value: (-len(value), value))
