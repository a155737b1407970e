from automation.codebase.sources import SourceFile
from automation.repair.vocabulary import Signature, Vocabulary, learn_vocabulary

BOOK = SourceFile(
    "book.py",
    """
import numpy as np
from decimal import Decimal, getcontext
from .orders import Order


class OrderBook:
    def __init__(self, market, depth=10):
        self.market = market
        self.asks = []

    def best_ask(self):
        return self.asks[0]

    def best_bid(self, at, *, strict=False):
        if not self.asks:
            raise BookEmpty("no asks")
        return self.market.price_ticks(at, rounding="down")

    @staticmethod
    def empty(market):
        return OrderBook(market)


def spread(book, digits):
    try:
        return round(book.best_ask() - book.best_bid(0), digits)
    except BookEmpty:
        return 0
""",
)


def test_names_near_in_spelling_or_used_on_the_same_thing_are_alternatives():
    words = learn_vocabulary([BOOK])
    assert words.attribute_alternatives("best_asks")[0] == "best_ask"
    assert "best_bid" in words.attribute_alternatives("best_ask")
    assert words.attribute_alternatives("lower")[0] == "upper"
    assert "append" not in words.attribute_alternatives("append")


def test_signatures_leave_self_out_and_know_what_must_be_given():
    words = learn_vocabulary([BOOK])
    assert words.signatures["spread"] == Signature(("book", "digits"), 2)
    assert words.signatures["best_bid"] == Signature(("at", "strict"), 1)
    assert words.signatures["OrderBook"] == Signature(("market", "depth"), 1)
    assert words.signatures["empty"].parameters == ("market",)


def test_functions_with_several_signatures_are_left_out():
    other = SourceFile("other.py", "def spread(book):\n    return 0\n")
    assert "spread" not in learn_vocabulary([BOOK, other]).signatures


def test_imports_are_taken_as_the_repository_writes_them():
    words = learn_vocabulary([BOOK])
    assert words.import_for("np") == "import numpy as np"
    assert words.import_for("getcontext") == "from decimal import getcontext"
    assert words.import_for("Order") is None
    assert words.import_for("sqrt") == "from math import sqrt"
    assert words.import_for("math") == "import math"
    assert words.import_for("nowhere_to_be_found") is None


def test_exceptions_of_the_repository_come_before_the_usual_ones():
    words = learn_vocabulary([BOOK])
    assert words.exception_alternatives("ValueError")[0] == "BookEmpty"
    assert "ValueError" not in words.exception_alternatives("ValueError")
    assert Vocabulary().exception_alternatives("KeyError")


def test_keywords_close_in_spelling_are_alternatives():
    assert learn_vocabulary([BOOK]).keyword_alternatives("digit") == ("digits",)


def test_file_that_does_not_parse_teaches_nothing_and_stops_nothing():
    broken = SourceFile("broken.py", "def spread(:\n")
    assert learn_vocabulary([broken, BOOK]).signatures["spread"].parameters == ("book", "digits")
