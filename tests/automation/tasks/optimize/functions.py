"""Slow functions, one for each template, and inputs for them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

INTEGERS = st.integers(-1_000, 1_000)
LISTS = st.lists(INTEGERS, max_size=12)
WORDS = st.lists(st.text("abc ", max_size=4), max_size=8)
PAIRS = st.lists(st.tuples(st.text("ab", max_size=2), INTEGERS), max_size=10)
FLOATS = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=0, max_size=10)


@dataclass(frozen=True)
class Slow:
    """A function's text, the template that must find something in it, what it must write, and inputs."""

    template: str
    text: str
    writes: str
    inputs: st.SearchStrategy[tuple[object, ...]]
    top: str = ""


def of(*parts: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(*parts)


SLOW = {
    "list": Slow("comprehension", """
def f(xs):
    found = []
    for x in xs:
        # small ones only
        if x > 3:
            found.append(x * 2)
    return found
""", "found = [x * 2 for x in xs if x > 3]", of(LISTS)),
    "set": Slow("comprehension", """
def f(xs):
    found: set[int] = set()
    for x in xs:
        found.add(x % 5)
    return found
""", "found: set[int] = {x % 5 for x in xs}", of(LISTS)),
    "dict": Slow("comprehension", """
def f(pairs):
    found = {}
    for key, value in pairs:
        found[key] = value + 1
    return found
""", "found = {key: value + 1 for key, value in pairs}", of(PAIRS)),
    "join at once": Slow("join", """
def f(words):
    text = ""
    for word in words:
        text += word.strip()
    return text
""", 'text = "".join([word.strip() for word in words])', of(WORDS)),
    "join later": Slow("join", """
def f(words):
    text = ""
    for word in words:
        shown = word.upper()
        text += shown
        if len(shown) > 2:
            text += "!"
    return text
""", 'text = "".join(text_parts)', of(WORDS)),
    "count": Slow("sum", """
def f(words):
    n = 0
    for word in words:
        n += len(word)
    return n
""", "n = sum(map(len, words))", of(WORDS)),
    "any": Slow("any", """
def f(xs):
    for x in xs:
        if x > 10:
            return True
    return False
""", "return any(x > 10 for x in xs)", of(LISTS)),
    "max": Slow("extreme", """
def f(xs):
    if not xs:
        return None
    best = xs[0]
    for x in xs:
        if x > best:
            best = x
    return best
""", "best = max(xs)", of(LISTS)),
    "attribute": Slow("hoist", """
def f(xs):
    found = []
    for x in xs:
        if x:
            found.append(math.sqrt(abs(x)))
            found.append(x)
    return found
""", "sqrt = math.sqrt", of(LISTS), "import math"),
    "length": Slow("hoist", """
def f(xs):
    i = 0
    total = 0
    while i < len(xs):
        total += xs[i]
        i += 1
    return total
""", "xs_length = len(xs)", of(LISTS)),
    "sorted once": Slow("hoist", """
def f(xs, ys):
    found = []
    for y in ys:
        found.append(sorted(xs)[0] + y if xs else y)
    return found
""", "xs_sorted = sorted(xs)", of(LISTS, LISTS)),
    "pattern": Slow("pattern", """
def f(words):
    return [re.sub("a+", "-", word) for word in words]
""", '_PATTERN = re.compile("a+")', of(WORDS), "import re"),
    "globals": Slow("local", """
def f(xs):
    total = 0
    for x in xs:
        total += LIMIT + abs(x)
    return total
""", "local_limit = LIMIT", of(LISTS), "LIMIT = 7"),
    "literal": Slow("membership", """
def f(word):
    return word in ["a", "b", "ab", "abc"]
""", '{"a", "b", "ab", "abc"}', of(st.text("abc", max_size=3))),
    "read list": Slow("membership", """
def f(xs, known):
    n = 0
    for x in xs:
        if x in known:
            n += x
    return n
""", "known_set = set(known)", of(LISTS, LISTS)),
    "comprehended list": Slow("membership", """
def f(xs, known):
    return [x for x in xs if x not in known]
""", "known_set = set(known)", of(LISTS, LISTS)),
    "filled list": Slow("membership", """
def f(xs):
    seen = []
    for x in xs:
        if x not in seen:
            seen.append(x)
    return seen
""", "seen_set.add(x)", of(LISTS)),
    "keys": Slow("membership", """
def f(pairs, key):
    return key in dict(pairs).keys()
""", "key in dict(pairs)", of(PAIRS, st.text("ab", max_size=2))),
    "get": Slow("mapping", """
def f(pairs, key):
    known = dict(pairs)
    if key in known:
        value = known[key]
    else:
        value = 0
    return value
""", "value = known.get(key, 0)", of(PAIRS, st.text("ab", max_size=2))),
    "setdefault": Slow("mapping", """
def f(pairs):
    groups = {}
    for key, value in pairs:
        if key not in groups:
            groups[key] = []
        groups[key].append(value)
    return groups
""", "groups.setdefault(key, []).append(value)", of(PAIRS)),
    "count by key": Slow("mapping", """
def f(words):
    counts = {}
    for word in words:
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return counts
""", "counts[word] = counts.get(word, 0) + 1", of(WORDS)),
    "defaultdict": Slow("mapping", """
def f(pairs):
    groups = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
""", "collections.defaultdict(list)", of(PAIRS)),
    "copy": Slow("copy", """
def f(xs):
    total = 0
    for x in list(xs):
        total += x
    return total + sum(list(xs))
""", "for x in xs:", of(LISTS)),
    "generator": Slow("generator", """
def f(xs):
    return sum([x * x for x in xs])
""", "sum(x * x for x in xs)", of(LISTS)),
    "list for a generator": Slow("generator", """
def f(words):
    return ",".join(word.upper() for word in words)
""", '",".join([word.upper() for word in words])', of(WORDS)),
    "square": Slow("square", """
def f(xs):
    return [x**2 + (x + 1) ** 2 + x**3 for x in xs]
""", "(x * x)", of(LISTS)),
    "cache": Slow("cache", """
def f(n: int) -> int:
    total = 0
    for i in range(abs(n)):
        total += i % 7
    return total
""", "@functools.lru_cache(maxsize=4096, typed=True)", of(INTEGERS)),
    "queue": Slow("queue", """
def f(xs):
    waiting = list(xs)
    order = []
    while waiting:
        x = waiting.pop(0)
        order.append(x)
        if x > 500:
            waiting.append(x // 2)
        if x < -500:
            waiting.insert(0, x // 2)
    return order
""", "x = waiting.popleft()", of(LISTS)),
    "copied to grow": Slow("append", """
def f(xs):
    found = []
    for x in xs:
        if x % 2:
            found = found + [x]
    return found
""", "found.append(x)", of(LISTS)),
    "counted in a loop": Slow("count", """
def f(xs):
    twice = {}
    for x in xs:
        twice[x] = xs.count(x) > 1
    return twice
""", "xs_counts = collections.Counter(xs)", of(LISTS)),
    "counted in a comprehension": Slow("count", """
def f(words):
    return [word for word in words if words.count(word) == 1]
""", "if words_counts[word] == 1", of(WORDS)),
    "the smallest": Slow("smallest", """
def f(pairs):
    return sorted(pairs, key=lambda pair: pair[1])[:3]
""", "heapq.nsmallest(3, pairs, key=lambda pair: pair[1])", of(PAIRS)),
    "the largest": Slow("smallest", """
def f(pairs):
    return sorted(pairs, key=lambda pair: pair[1], reverse=True)[:2]
""", "heapq.nlargest(2, pairs, key=lambda pair: pair[1])", of(PAIRS)),
    "constant": Slow("constant", """
def f(xs):
    total = Decimal("0")
    for x in xs:
        total += Decimal(x) * Decimal("1.19")
    return str(total)
""", '_DECIMAL_2 = Decimal("1.19")', of(LISTS), "from decimal import Decimal"),
    "entry": Slow("hoist", """
def f(xs):
    table = {"rates": {"low": 2, "high": 3}}
    total = 0
    for x in xs:
        total += table["rates"]["high"] * x
    return total
""", 'high = table["rates"]["high"]', of(LISTS)),
}  # fmt: skip

ARRAYS = {
    "elementwise": Slow("vector", """
def f(a, b):
    out = np.zeros(len(a))
    for i in range(len(a)):
        out[i] = (a[i] - b[i]) * 2.0
    return out
""", "out[:len(a)] = (a[:len(a)] - b[:len(a)]) * 2.0", of(FLOATS), "import numpy as np"),
    "where": Slow("vector", """
def f(a, b):
    out = np.zeros(len(a))
    for i in range(len(a)):
        if a[i] > b[i]:
            out[i] = a[i]
        else:
            out[i] = b[i]
    return out
""", "np.where(", of(FLOATS), "import numpy as np"),
    "cumsum": Slow("vector", """
def f(a, b):
    out = np.zeros(len(a))
    total = 0.0
    for i in range(len(a)):
        total += a[i]
        out[i] = total
    return out
""", "np.cumsum(", of(FLOATS), "import numpy as np"),
}  # fmt: skip
