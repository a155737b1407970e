"""What the commands on code are to work on: reviews, tests, documents, optimisation, explanations and repairs."""

from __future__ import annotations

import re
from pathlib import Path

from automation.assistant.code_targets import (
    TESTS_PATH,
    UNCOMMITTED,
    described_code,
    named_code,
    tests_of_code,
    tests_of_topic,
)
from automation.assistant.filling import Filling
from automation.assistant.session_arguments import session_meant

_IT = re.compile(
    r"\b(?:it|its|them|their|that|this|those|these|the same|there)\b"
    r"|^(?:add|write)(?: some| the| missing| more)* (?:unit )?(?:tests|docstrings|docs)$",
    re.IGNORECASE,
)
_SHORT = 4
_BENCH = re.compile(r"\b(?:benchmark|command|script|program|profile|running|run)\b|\s", re.IGNORECASE)
_SCRIPT = re.compile(r"\bpython3? [\w./-]+\.py(?: --?[\w-]+(?:[= ]\w+)?)*")
_EXIT_CODE = re.compile(
    r"\b(?:exit(?:ed|s)?|return(?:ed)?|status|error)(?: with)?(?: (?:code|status|number))* (\d{1,3})\b|\bcode"
    r" (\d{1,3})\b"
)
_QUOTED_TEXT = re.compile(
    r"\b(?:message|error|line|says?|said|output|told me|wrote|writes|prints?|printed|reads|got|get|getting|this)"
    r"(?: (?:is|was|this|me|following))*:\s+(?P<text>.+?)(?:\s+[-,]+\s*(?:what|why|how|help|any|huh|wat).*)?$",
    re.IGNORECASE,
)
_SPOKEN_OF_SESSION = re.compile(r"\b(?:sessions?|bot|trading|run|grid)\b", re.IGNORECASE)


def fill_target(filling: Filling) -> None:
    """Fill the target of a task: what is named, the diff, the current file, what is described, or the step before's.

    Parameters
    ----------
    filling : Filling
        Its fields ``target``, ``diff``, ``benchmark``, ``command`` and ``test`` are set.
    """
    diffs = filling.reading.mentions.all("diff")
    if any(not filling.is_used(each.start, each.end) for each in diffs) or UNCOMMITTED.search(filling.reading.text):
        filling.put("diff", True)
    _fill_workload(filling)
    if filling.has("target", "command"):
        return
    target = named_code(filling)
    if filling.has("benchmark"):
        # the script of the workload is not what is to be made faster
        if target is not None and target.partition("::")[0] not in str(filling.values["benchmark"]):
            filling.put("target", target)
        return
    if target is not None and TESTS_PATH.search(target) and "benchmark" in filling.model.model_fields:
        filling.put("test", target)
        return
    filling.put("target", target or (None if filling.has("diff") else described_code(filling)))
    if not filling.has("target", "diff") and (_IT.search(filling.reading.text) or _is_short(filling)):
        filling.put("target", filling.before.get("target"))
        filling.put("diff", filling.before.get("diff"))
        searched = filling.before.get("query")
        if not filling.has("target", "diff") and isinstance(searched, str):
            filling.put("target", filling.places.symbol(searched))


def _is_short(filling: Filling) -> bool:
    """Say whether a later wish is too short to be about anything else: "review store.py, after that docstrings"."""
    return len(filling.reading.text.split()) <= _SHORT and not re.search(r"\b(?:the|all)\b", filling.lowered)


def fill_explain(filling: Filling) -> None:
    """Fill what is to be explained: an error's text, a log, a test, or the last error.

    Parameters
    ----------
    filling : Filling
        Its argument, or ``log``, ``test`` or ``last``.
    """
    mentions = filling.reading.mentions
    told = _QUOTED_TEXT.search(filling.reading.text)
    error = (
        mentions.first("error")
        or (told["text"].strip("\"'`") if told is not None else None)
        or mentions.first("command")
        or next((group for match in _EXIT_CODE.finditer(filling.lowered) for group in match.groups() if group), None)
    )
    log = mentions.first("log")
    if log is not None and not mentions.first("error"):
        filling.put("log", Path(str(log)))
        return
    if error is not None:
        filling.put("error", error)
        return
    code = named_code(filling)
    if code is not None and (re.search(r"\btests?\b", mentions.masked.lower()) or TESTS_PATH.search(code)):
        filling.put("test", code)
    elif code is not None:
        filling.put("error", code)
    elif filling.before.get("log") is not None and _IT.search(filling.reading.text):
        logs = filling.before["log"]
        filling.put("log", logs[0] if isinstance(logs, list) else logs)
    else:
        filling.put("last", True)


def fill_fix(filling: Filling) -> None:
    """Fill what is to be repaired: a log, a session, a folder, and the tests that show it.

    Parameters
    ----------
    filling : Filling
        Its fields ``path``, ``log``, ``session`` and ``tests`` are set.
    """
    mentions = filling.reading.mentions
    log = mentions.first("log") or filling.before.get("log")
    filling.put("log", None if log is None else Path(str(log[0] if isinstance(log, list) else log)))
    session = mentions.first("session") or mentions.first("recording")
    if session is None and _SPOKEN_OF_SESSION.search(filling.reading.text):
        session = session_meant(filling, surely=True)
    if session is None and _IT.search(filling.reading.text):
        session = filling.before.get("session")
    filling.put("session", None if session is None else str(session))
    if filling.has("session", "log"):
        return
    _fill_folder(filling)
    tests = _test_paths(filling) or filling.before.get("tests")
    if tests is None and not filling.has("path"):
        tests = tests_of_code(filling) or tests_of_topic(filling)
    filling.put("tests", tests)
    filling.put("path", filling.before.get("path"))


def fill_incidents(filling: Filling) -> None:
    """Fill where incidents are looked for: logs, or the tests of a folder.

    Parameters
    ----------
    filling : Filling
        Its fields ``path``, ``log`` and ``tests`` are set.
    """
    filling.put("log", [Path(str(each)) for each in filling.reading.mentions.values("log")])
    logs = filling.before.get("log")
    if not filling.has("log") and logs is not None and _IT.search(filling.reading.text):
        filling.put("log", list(logs) if isinstance(logs, list) else [logs])
    _fill_folder(filling)
    filling.put("tests", _test_paths(filling))
    if not filling.has("tests", "path", "log"):
        filling.put("tests", tests_of_code(filling))
        if re.search(r"\btests? (?:of|for|about|on) (?:the )?\w", filling.lowered):
            filling.put("tests", tests_of_topic(filling))


def _fill_workload(filling: Filling) -> None:
    for mention in filling.reading.mentions.all("command"):
        told = str(mention.value)
        place = filling.places.symbol(told) or (told if filling.places.path_of(told) else None)
        if place is not None:
            filling.put("target", place)
        elif told.startswith("gridbot ") and "command" in filling.model.model_fields:
            filling.put("command", told)
        elif _BENCH.search(told):
            filling.put("benchmark", told)
    script = _SCRIPT.search(filling.reading.text)
    filling.put("benchmark", None if script is None else script[0])


def _fill_folder(filling: Filling) -> None:
    for mention in filling.reading.mentions.all("folder"):
        text = str(mention.value)
        if not TESTS_PATH.search(text) and (text.startswith(("..", "./", "/", "~")) or not filling.places.holds(text)):
            filling.put("path", Path(text))


def _test_paths(filling: Filling) -> str | None:
    named = [
        str(mention.value)
        for mention in filling.reading.mentions
        if mention.kind in {"python", "folder"} and TESTS_PATH.search(str(mention.value))
    ]
    return " ".join(named) or None
