"""Which code a sentence is about: for reviews, tests, documents, optimisation, search, explanations and repairs."""

from __future__ import annotations

import re
from pathlib import Path

from automation.assistant.filling import Filling

_ABOUT = re.compile(
    r"\b(?:of|for|in|to|on|about|inside|at|around|from|against|with)\s+(?:the |our |my "
    r"|all |all of )*(?P<what>[a-z][\w ./-]*)$",
    re.IGNORECASE,
)
_OBJECT = re.compile(
    r"^(?:\w+ ){0,3}?(?:review|check|inspect|rate|score|lint|audit|test|cover|document"
    r"|describe|comment|optimize|optimise|speed up|accelerate|improve"
    r"|profile|tune|make|is|why is|are|how good is|how complex is|vectorise|vectorize"
    r"|debug|fix|repair|look (?:at|over)|analyse|analyze|mend|can|does)\s+"
    r"(?:the |our |my |any |all )?(?P<what>[a-z][\w -]*?)(?:\s+(?:faster|quicker|so slow"
    r"|too slow|slow|up|good|better|more efficient|run faster|clean|complex|ok|okay|code"
    r"|please)\b.*)?$",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"\b(?:code quality|quality|test coverage|coverage|performance|run ?time|latency|speed"
    r"|docstrings?|doc strings?|documentation|docs?|unit tests?|tests?|test cases"
    r"|missing|stale|security problems?|dead code|duplicated? code|complexity|style|types?"
    r"|lint|mutation score|api documentation|memory use|hot spots?|hot loop"
    r"|bottlenecks?|please|code review|review|hotspots?|python|more|some|everything|whole repository"
    r"|entire repository|repository|repo|project|code ?base)\b",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"^(?:(?:please|can you|could you|show me|tell me|i want to (?:know|see)|do you know"
    r"|let me know|help me|i need to)\s+)*"
    r"(?:(?:where|in (?:which|what) (?:file|module|class|function|place)|which (?:file"
    r"|module|class|function|part of the code|code)|what (?:code|function|class|file)"
    r"|who|how)\s+"
    r"(?:in the code |in the code ?base )?(?:is|are|do we|does (?:it|the bot|gridbot)"
    r"|do|does|can i find|did we|holds?|contains?|has|have|we)?\s*(?:the (?:code|place"
    r"|function|class|method) (?:that|which|for|where|to)\s+)?"
    r"|(?:find|search(?: for)?|look(?: up| for)?|locate|show|grep(?: for)?|seek|point me to"
    r"|do a (?:semantic )?search for|semantic search for|code search for)\s+"
    r"(?:me |all |any |out )?(?:in the code |the code ?base )?(?:for )?(?:where )?(?:the "
    r"(?:code|place|function|class|method|file|part)s? (?:that|which|for|where|to|of|about)\s+"
    r"|(?:code|places?|functions?|classes) (?:that|which|for|about|where)\s+)?)",
    re.IGNORECASE,
)
_SEARCH_TAIL = re.compile(
    r"[\s,]*(?:in (?:the |our |this )?(?:code(?: ?base)?|repository|repo|project|source)"
    r"|please|defined|implemented|located)?[.?!\s]*$",
    re.IGNORECASE,
)
_LAST = re.compile(r"\b(?:last|latest|previous|recent|just)\b|\bwent wrong\b|\bdid it (?:crash|fail)\b", re.IGNORECASE)
_IT = re.compile(r"\b(?:it|them|that|this|those|these|the same)\b", re.IGNORECASE)
_BENCH = re.compile(r"\b(?:benchmark|command|script|program|profile|running|run)\b|\s", re.IGNORECASE)
_NO_TOPIC = re.compile(
    r"\b(?:fail\w*|tests?|test suite|suite|broken|bugs?|errors?|problems?|problem|traceback"
    r"|log|repository|repo|code|pipeline|everything|whatever|something|wrong|issues?"
    r"|full|green|pass|pass again|model|build|last|crash\w*|session|it|that|this|them"
    r"|what|file|cause|need|debug|fix|repair|heal|solve|find|out|why|please|and|then|run"
    r"|make|again|is|are"
    r"|in|of|on|for|to|with|from|my|our|the|a|an|there|here|any|mend|patch|correct|troubleshoot"
    r"|resolve|sort|you|can|could|do|does|not|work\w*|connection problem|get|up|at|most"
    r"|now|me|i|all|red)\b",
    re.IGNORECASE,
)
_VERBS = re.compile(
    r"\b(?:review|check|inspect|rate|score|lint|audit|write|generate|create|make|add|improve"
    r"|increase|raise|cover|document|update|describe|comment"
    r"|optimi[sz]e|speed|up|accelerate|profile|tune|faster|quicker|slow|slower|reduce"
    r"|cut|find|fix|mend|give|how|good|is|why|any|are|there|look|over|at"
    r"|be|should|written|need|needs|we|it|them|do|does|more|better|too|so|run|runs|running"
    r"|quality|efficient|less|time|lost|where|then|and|clean|complex|what|think"
    r"|want|feedback|see|if|whether|work|done|not|use|using|produce|extend|missing|new"
    r"|quick|quickly|properly|up to date|outdated|bring|problems?|bad|smells?|parts|which)\b"
)
_TESTS_PATH = re.compile(r"(?:^|/)(?:tests?)(?:/|$)|(?:^|/)test_\w+\.py|_test\.py")


def fill_target(filling: Filling) -> None:
    """Fill the target of a task: what is named, the diff, the current file, what is described, or the step before's.

    Parameters
    ----------
    filling : Filling
        Its fields ``target``, ``diff``, ``path`` and ``benchmark`` are set.
    """
    mentions = filling.reading.mentions
    if mentions.first("diff"):
        filling.put("diff", True)
    for mention in mentions.all("command"):
        if filling.places.symbol(str(mention.value)) is not None:
            filling.put("target", filling.places.symbol(str(mention.value)))
        elif _BENCH.search(str(mention.value)):
            filling.put("benchmark", mention.value)
    filling.put("target", _named(filling) or (None if filling.has("diff", "benchmark") else _described(filling)))
    if not filling.has("target", "diff", "benchmark") and _IT.search(filling.reading.text):
        filling.put("target", filling.before.get("target"))
        filling.put("diff", filling.before.get("diff"))


def fill_search(filling: Filling) -> None:
    """Fill what is searched for: the sentence without its frame.

    Parameters
    ----------
    filling : Filling
        The field that is an argument is set.
    """
    mentions = filling.reading.mentions
    command = mentions.first("command")
    text = mentions.rest("number", "json")
    query = (
        str(command) if command is not None else _SEARCH_TAIL.sub("", _FRAME.sub("", text.strip(" .?!"))).strip(" ,")
    )
    filling.put(_argument(filling), query or text.strip(" .?!"))


def fill_explain(filling: Filling) -> None:
    """Fill what is to be explained: an error's text, a log, a test, or the last error.

    Parameters
    ----------
    filling : Filling
        Its argument, or ``log``, ``test`` or ``last``.
    """
    mentions = filling.reading.mentions
    error = mentions.first("error") or mentions.first("command")
    if error is not None:
        filling.put(_argument(filling), error)
        return
    log = mentions.first("log")
    if log is not None:
        filling.put("log", [Path(str(log))] if _is_many(filling, "log") else Path(str(log)))
        return
    code = _named(filling)
    about_test = re.search(r"\btests?\b", mentions.masked.lower()) or (code is not None and _TESTS_PATH.search(code))
    if code is not None and about_test:
        filling.put("test", code)
    elif code is not None:
        filling.put(_argument(filling), code)
    elif _LAST.search(filling.reading.text) or not filling.before:
        filling.put("last", True)


def fill_fix(filling: Filling) -> None:
    """Fill what is to be repaired: a log, a session, a folder, and the tests that show it.

    Parameters
    ----------
    filling : Filling
        Its fields ``path``, ``log``, ``session`` and ``tests`` are set.
    """
    mentions = filling.reading.mentions
    filling.put("log", _path(mentions.first("log") or filling.before.get("log")))
    filling.put("session", mentions.first("session") or _crashed_session(filling))
    if filling.has("session") or filling.has("log"):
        return
    recording = mentions.first("recording")
    filling.put("session", None if recording is None else str(recording))
    _fill_folder(filling)
    tests = _test_paths(filling) or filling.before.get("tests")
    if tests is None and not filling.has("path"):
        tests = _tests_of_code(filling) or _tests_of_topic(filling)
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
    _fill_folder(filling)
    filling.put("tests", _test_paths(filling))
    if not filling.has("tests", "path", "log"):
        filling.put("tests", _tests_of_code(filling))
        if re.search(r"\btests? (?:of|for|about|on) (?:the )?\w", filling.lowered):
            filling.put("tests", _tests_of_topic(filling))


def _fill_folder(filling: Filling) -> None:
    for mention in filling.reading.mentions.all("folder"):
        text = str(mention.value)
        if not _TESTS_PATH.search(text) and (text.startswith(("..", "/", "~")) or not _is_inside(filling, text)):
            filling.put("path", Path(text))


def _test_paths(filling: Filling) -> str | None:
    named = [
        str(mention.value)
        for mention in filling.reading.mentions
        if mention.kind in {"python", "folder"} and _TESTS_PATH.search(str(mention.value))
    ]
    return " ".join(named) or None


def _tests_of_code(filling: Filling) -> str | None:
    """Return the tests of a file that the sentence names, or means by "this file"."""
    target = _named(filling)
    if target is None:
        return None
    if _TESTS_PATH.search(target):
        return target
    stem = Path(target.partition("::")[0]).with_suffix("").as_posix()
    return " ".join(filling.places.tests_of(stem)) or None


def _tests_of_topic(filling: Filling) -> str | None:
    topic = _NO_TOPIC.sub(" ", filling.reading.mentions.rest())
    return " ".join(filling.places.tests_of(topic)) or None


def _crashed_session(filling: Filling) -> str | None:
    if not re.search(r"\bsessions?\b", filling.lowered):
        return None
    coins = [str(each.value).partition("/")[0].lower() for each in filling.reading.mentions.all("symbol")]
    fitting = [name for name in filling.names.sessions if not coins or any(coin in name.split("-") for coin in coins)]
    return fitting[0] if len(fitting) == 1 else None


def _named(filling: Filling) -> str | None:
    """Return the file, folder or symbol that a sentence names outright."""
    mentions = filling.reading.mentions
    for mention in mentions:
        if mention.kind == "python":
            return _placed(filling, str(mention.value))
        if mention.kind == "folder":
            return str(mention.value)
        if mention.kind == "identifier":
            return filling.places.symbol(str(mention.value)) or str(mention.value)
        if mention.kind == "here" or _is_here(filling, mention.kind):
            return filling.context.file or None
    bare = re.search(r"\b(?:this|the current) (?:function|method|class|code|module|line)\b|\bhere\b", filling.lowered)
    if bare is not None and filling.context.file:
        line = filling.context.line
        narrow = line and not re.search(r"\b(?:module|code)\b", bare[0])
        return f"{filling.context.file}:{line}" if narrow else filling.context.file
    return None


def _is_here(filling: Filling, kind: str) -> bool:
    return kind == "repository" and bool(filling.context.file)


def _placed(filling: Filling, path: str) -> str:
    """Return a path as the repository has it: a bare file name is looked for."""
    bare, separator, rest = path.partition(":")
    if "/" in bare or filling.places.holds(bare):
        return path
    found = filling.places.file_called(bare)
    return path if found is None else f"{found}{separator}{rest}"


def _described(filling: Filling) -> str | None:
    text = filling.reading.mentions.rest("duration", "number", "json", "money").strip(" .?!").lower()
    text = re.sub(r"\b(?:please|thanks|for me)\b", "", text).strip(" ,")
    for pattern in (_ABOUT, _OBJECT):
        match = pattern.search(text)
        if match is not None:
            what = _NOISE.sub(" ", match["what"]).strip()
            found = filling.places.target(what) if what else None
            if found is not None:
                return found
    words = _NOISE.sub(" ", _VERBS.sub(" ", text)).strip()
    return filling.places.target(words) if words else None


def _argument(filling: Filling) -> str:
    for name, field in filling.model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("positional"):
            return name
    return ""


def _is_many(filling: Filling, name: str) -> bool:
    field = filling.model.model_fields.get(name)
    return field is not None and "list[" in str(field.annotation)


def _is_inside(filling: Filling, path: str) -> bool:
    return filling.places.holds(path)


def _path(value: object) -> Path | None:
    return None if value is None else Path(str(value[0] if isinstance(value, list) else value))
