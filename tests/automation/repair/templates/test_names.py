import pytest

from tests.automation.repair.templates.search import Fault, check

CONVERT = """
def converted(amount, rate, fee):
    gross = amount * {}
    net = gross - {}
    return {}
"""
ACCOUNT = """
class Account:
    def __init__(self, owner, balance):
        self.owner = owner
        self.balance = {}
        self.history = []

    def deposit(self, amount):
        self.{} += amount
        self.history.append({})
        return self.balance
"""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(CONVERT.format("fee", "fee", "net"), CONVERT.format("rate", "fee", "net"), "variable", within=80),
        Fault(CONVERT.format("rate", "gross", "net"), CONVERT.format("rate", "fee", "net"), "variable", within=80),
        Fault(CONVERT.format("rate", "fee", "gross"), CONVERT.format("rate", "fee", "net"), "variable", within=30),
        Fault(
            CONVERT.format("rat", "fee", "net"),
            CONVERT.format("rate", "fee", "net"),
            "unknown-name",
            within=5,
            exception="NameError",
        ),
        Fault(
            ACCOUNT.format("owner", "balance", "amount"),
            ACCOUNT.format("balance", "balance", "amount"),
            "variable",
            within=40,
        ),
        Fault(
            ACCOUNT.format("balance", "history", "amount"),
            ACCOUNT.format("balance", "balance", "amount"),
            "attribute",
            within=40,
        ),
        Fault(
            ACCOUNT.format("balance", "balance", "balance"),
            ACCOUNT.format("balance", "balance", "self.balance"),
            "unknown-name",
            within=100,
            exception="NameError",
        ),
    ],
)
def test_right_name_is_found(fault: Fault):
    check(fault)


def test_unpacked_names_in_another_order():
    text = "def last_of(pairs):\n    for {} in pairs:\n        found = key\n    return found\n"
    check(Fault(text.format("value, key"), text.format("key, value"), "target", within=30))


def test_result_goes_to_another_variable():
    text = "def grown(total, step):\n    size = total\n    {} = total + step\n    return size\n"
    check(Fault(text.format("step"), text.format("size"), "target", within=40))
