import pytest

from tests.automation.repair.templates.search import Fault, check

POWER = """
def power(base, exponent, modulus=None):
    return pow(base, exponent)


def product(first, second):
    return first * second


def total(values, base, scale):
    amount = sum(values)
    return {}
"""


def fault(faulty: str, right: str, family: str, within: int = 150, exception: str = "AssertionError") -> Fault:
    return Fault(POWER.format(faulty), POWER.format(right), family, within, exception=exception)


@pytest.mark.parametrize(
    "fault",
    [
        fault("power(scale, base)", "power(base, scale)", "argument-order"),
        fault("power(base)", "power(base, scale)", "argument-count", exception="TypeError"),
        fault("power(base, scale)", "power(base, scale, amount)", "argument-count", within=400),
        fault("product(base, scale, amount)", "product(base, scale)", "argument-count", exception="TypeError"),
        fault("max(values)", "min(values)", "function"),
        fault("power(base, scale)", "product(base, scale)", "function", within=500),
        fault("values", "sorted(values)", "wrapper", within=300),
        fault("values", "len(values)", "wrapper", within=300),
        fault("base", "abs(base)", "wrapper", within=400),
        fault("str(base)", "base", "unwrapping"),
        fault("values.copy()", "values", "unwrapping", within=300),
        fault("max(values, 1)", "max(values)", "argument-count", within=300),
        fault("sorted(values)", "sorted(values, reverse=True)", "keyword"),
        fault("sorted(values, key=abs)", "sorted(values)", "keyword"),
        fault("print(values)", "print(*values)", "starred", within=900),
        fault("values.pop", "values.pop()", "called", exception="TypeError"),
        fault("power(base, scale, modulo=3)", "power(base, scale, modulus=3)", "keyword", exception="TypeError"),
    ],
)
def test_right_call_is_found(fault: Fault):
    check(fault)
