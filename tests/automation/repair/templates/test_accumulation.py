import pytest

from tests.automation.repair.templates.search import Fault, check

TALLY = "def tally(words):\n    found = {{}}\n    for word in words:\n        {}\n    return found\n"
CHUNKS = (
    "def chunks(items):\n    part = []\n    for item in items:\n"
    "        part.append(item)\n        yield part\n        {}\n"
)
PAIR = "def turns(count):\n    x, y = 1, 2\n    for _ in range(count):\n{}    return x\n"
IN_TURN, AT_ONCE = "        x = y\n        y = x * y\n", "        x, y = y, x * y\n"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(TALLY.format("found[word[0]] = [word]"), TALLY.format("found.setdefault(word[0], []).append(word)"),
              "collection", 60),
        Fault(TALLY.format("found[word[0]].append(word)"), TALLY.format("found.setdefault(word[0], []).append(word)"),
              "collection", 60, exception="KeyError"),
        Fault(TALLY.format("found[word] += 1"), TALLY.format("found[word] = found.get(word, 0) + 1"), "collection", 60,
              exception="KeyError"),
        Fault(CHUNKS.format("part.clear()"), CHUNKS.format("part = []"), "renewal", 40),
        Fault(PAIR.format(IN_TURN), PAIR.format(AT_ONCE), "at-once", 60),
        Fault(PAIR.format(AT_ONCE), PAIR.format(IN_TURN), "at-once", 80),
    ],
)  # fmt: skip
def test_right_way_to_collect_is_found(fault: Fault):
    check(fault)
