"""Names that Python programmers take for one another, and where the standard library's names come from."""

from __future__ import annotations

import sys
from collections.abc import Mapping

# Names that people take for one another in any Python code.
METHOD_GROUPS: tuple[tuple[str, ...], ...] = (
    ("append", "extend", "insert", "add", "appendleft"),
    ("add", "update", "discard", "remove", "append"),
    ("pop", "popleft", "popitem", "remove", "get"),
    ("extend", "extendleft", "append", "update"),
    ("sort", "reverse"),
    ("lower", "upper", "title", "capitalize", "swapcase", "casefold"),
    ("islower", "isupper", "istitle"),
    ("isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal", "isspace"),
    ("strip", "lstrip", "rstrip", "removeprefix", "removesuffix"),
    ("find", "index", "rfind", "rindex", "count"),
    ("startswith", "endswith"),
    ("keys", "values", "items"),
    ("get", "pop", "setdefault"),
    ("split", "rsplit", "splitlines", "partition", "rpartition"),
    ("ljust", "rjust", "center", "zfill"),
    ("union", "intersection", "difference", "symmetric_difference"),
    ("issubset", "issuperset", "isdisjoint"),
    ("match", "search", "fullmatch", "findall", "finditer"),
    ("read", "readline", "readlines"),
    ("write", "writelines"),
    ("year", "month", "day"),
    ("hour", "minute", "second"),
    ("days", "seconds", "total_seconds"),
    ("floor", "ceil", "trunc"),
    ("sin", "cos", "tan"),
    ("log", "log2", "log10", "log1p"),
    ("sum", "prod", "mean", "cumsum"),
    ("min", "max", "argmin", "argmax"),
    ("heappush", "heappop", "heappushpop", "heapreplace"),
    ("bisect_left", "bisect_right", "bisect"),
    ("permutations", "combinations", "product", "combinations_with_replacement"),
    ("first", "last"),
    ("left", "right"),
    ("next", "previous", "prev"),
    ("parent", "children", "child"),
    ("key", "value"),
    ("start", "stop", "end"),
    ("width", "height"),
    ("x", "y", "z"),
    ("encode", "decode"),
    ("loads", "load", "dumps", "dump"),
    ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"),
)
FUNCTION_GROUPS: tuple[tuple[str, ...], ...] = (
    ("min", "max", "sum"),
    ("any", "all"),
    ("sorted", "reversed", "list"),
    ("int", "round", "float"),
    ("str", "repr"),
    ("ord", "chr"),
    ("range", "enumerate"),
    ("list", "tuple", "set", "frozenset"),
    ("isinstance", "issubclass"),
    ("getattr", "hasattr"),
    ("len", "sum", "max"),
    ("map", "filter"),
    ("bin", "hex", "oct"),
    ("floor", "ceil", "round", "trunc"),
    ("abs", "round"),
    ("heappush", "heappop"),
    ("bisect_left", "bisect_right"),
    ("dict", "defaultdict", "OrderedDict"),
    ("permutations", "combinations", "product"),
)
_HOMES: Mapping[str, str] = {
    "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
    "collections.abc": "Callable Generator Hashable Iterable Iterator Mapping Sequence",
    "contextlib": "ExitStack closing contextmanager nullcontext suppress",
    "copy": "deepcopy",
    "dataclasses": "asdict astuple dataclass replace",
    "datetime": "date timedelta timezone",
    "decimal": "Decimal ROUND_DOWN ROUND_HALF_UP ROUND_UP",
    "enum": "Enum IntEnum StrEnum auto",
    "fractions": "Fraction",
    "functools": "cache cached_property lru_cache partial reduce total_ordering wraps",
    "heapq": "heapify heappop heappush heapreplace nlargest nsmallest",
    "itertools": "accumulate chain combinations cycle groupby islice pairwise permutations product repeat starmap "
    "takewhile zip_longest",
    "bisect": "bisect_left bisect_right insort",
    "math": "ceil factorial floor gcd inf isclose isnan log pi prod sqrt",
    "operator": "attrgetter itemgetter mul",
    "pathlib": "Path PurePath",
    "string": "ascii_letters ascii_lowercase ascii_uppercase digits punctuation",
    "statistics": "mean median mode stdev",
    "typing": "Any NamedTuple Optional Protocol TypedDict TypeVar Union",
}
_ORIGINS: Mapping[str, str] = {name: module for module, names in _HOMES.items() for name in names.split()}
_SHORT_NAMES: Mapping[str, str] = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "dt": "import datetime as dt",
}


def usual_import(name: str) -> str | None:
    """Return the statement that usually brings a name in, None when it is not one that everybody knows."""
    if name in _ORIGINS:
        return f"from {_ORIGINS[name]} import {name}"
    if name in _SHORT_NAMES:
        return _SHORT_NAMES[name]
    return f"import {name}" if name in sys.stdlib_module_names and not name.startswith("_") else None
