import pytest

from tests.automation.repair.templates.search import Fault, check

GATHER = """
def gather(groups, queue, counts):
    found = []
    for name in groups:
        {}
    return found
"""


@pytest.mark.parametrize(
    ("faulty", "right", "family"),
    [
        ("found.append(name)", "found.extend(name)", "attribute"),
        ("found.append(name.lower())", "found.append(name.upper())", "attribute"),
        ("found.append(name.strip())", "found.append(name.rstrip())", "attribute"),
        ("found.append(queue.pop())", "found.append(queue.pop(0))", "method-end"),
        ("found.append(queue.pop())", "found.append(queue.popleft())", "attribute"),
        ("found.append(name)", "found.insert(0, name)", "method-end"),
        ("found.append(counts[name])", "found.append(counts.get(name, 0))", "default"),
        ("found.append(counts.get(name, 1))", "found.append(counts.get(name, 0))", "number"),
        ("found.append(counts.get(name))", "found.append(counts.get(name, []))", "default"),
        ("found.append(found)", "found.append(found[:])", "copy"),
        ("found.append(name)", "found.append(name.strip())", "method-call"),
    ],
)
def test_right_attribute_or_method_is_found(faulty: str, right: str, family: str):
    check(Fault(GATHER.format(faulty), GATHER.format(right), family, within=500))


def test_name_that_the_repository_uses_elsewhere():
    faulty = "def level(order):\n    return order.filed_lots\n"
    elsewhere = "def lots(order):\n    return order.filled_lots + order.open_lots\n"
    check(Fault(faulty, faulty.replace("filed", "filled"), "attribute", within=5, elsewhere=elsewhere))


def test_items_of_a_dictionary_in_a_loop():
    text = "def swapped(table):\n    table.setdefault('a', 1)\n    return {{value: key for key, value in {}}}\n"
    check(Fault(text.format("table"), text.format("table.items()"), "method-call", within=120))


def test_rows_that_share_one_list_are_made_apart():
    text = "def board(size):\n    return {}\n"
    check(
        Fault(text.format("[[0] * size] * size"), text.format("[[0] * size for _ in range(size)]"), "copy", within=60)
    )
