import pytest

from tests.automation.repair.templates.search import Fault, check

AREA = "import {}\n\n\ndef area(radius):\n    return math.pi * radius * radius\n"
TWICE = "from areas import {0}\n\n\ndef twice(radius):\n    return 2 * {0}(radius)\n"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(AREA.format("maths"), AREA.format("math"), "misspelt-import", 10, exception="ModuleNotFoundError"),
        Fault(
            TWICE.format("circel"),
            TWICE.format("circle"),
            "misspelt-import",
            10,
            exception="ImportError",
            elsewhere="def circle(radius):\n    return 3 * radius * radius\n",
        ),
        Fault(
            "from functool import reduce\n\n\ndef total(xs):\n    return reduce(max, xs)\n",
            "from functools import reduce\n\n\ndef total(xs):\n    return reduce(max, xs)\n",
            "misspelt-import",
            10,
            exception="ModuleNotFoundError",
        ),
    ],
    ids=["module", "name", "module of a name"],
)
def test_right_import_is_found(fault):
    check(fault)
