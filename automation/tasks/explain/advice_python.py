"""Shapes of Python's own exceptions, and of those of its tools for tests and arrays."""

from __future__ import annotations

from automation.tasks.explain.advice import Category, rule

SYNTAX_RULES = (
    rule(
        "bracket-open", "SyntaxError", r"'(?P<name>[(\[{])' was never closed", Category.SYNTAX,
        "The bracket {name} that opens on this line is never closed.",
        "Close it; the line that is named is where it opens, the missing end may be many lines below.",
    ),
    rule(
        "quote-open", "SyntaxError", r"unterminated (?:triple-quoted )?(?:f-)?string literal", Category.SYNTAX,
        "A text begins on this line and its closing quote is missing.",
        "Add the quote; a text of several lines needs three quotes at both ends.",
    ),
    rule(
        "colon-missing", "SyntaxError", r"expected ':'", Category.SYNTAX,
        "A line that opens a block (if, for, def, class, with, try) does not end with a colon.",
        "Add the colon at the end of the line.",
    ),
    rule(
        "tabs", "TabError IndentationError", r"tabs and spaces", Category.SYNTAX,
        "The file indents with tabs in one line and with spaces in another.",
        "Let `ruff format` indent it anew with spaces.",
    ),
    rule(
        "indentation", "IndentationError", r"(?P<what>unexpected indent|unindent does not match|expected an indented block)",
        Category.SYNTAX,
        "The indentation of this line does not fit the lines around it ({what}).",
        "Line it up with its block; a header such as `if …:` needs at least one line (or `pass`) below it.",
    ),
    rule(
        "syntax", "SyntaxError", r"(?P<what>.+)", Category.SYNTAX,
        "Python cannot read the file: {what}.",
        "Look at the line that is named and the one before it; `ruff check` says the same with more words.",
    ),
)  # fmt: skip

IMPORT_RULES = (
    rule(
        "circular-import", "ImportError AttributeError", r"partially initialized module '(?P<module>[\w.]+)'",
        Category.IMPORT,
        "{module} is being imported already: two modules import each other, and one of them is only half there.",
        "Move what both need into a third module, or import inside the function that needs it.",
    ),
    rule(
        "module-missing", "ModuleNotFoundError ImportError", r"No module named '(?P<module>[\w.]+)'", Category.IMPORT,
        "There is no module {module} where this Python looks.",
        "If it is a package, install it in the interpreter that runs: `{install}`.",
        "If it is your own, run from the folder above it, or put that folder on PYTHONPATH.",
    ),
    rule(
        "name-not-exported", "ImportError", r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'", Category.IMPORT,
        "{module} is there, and defines no {name}: it is spelt otherwise, moved, or its version is another.",
        "Compare with what {module} defines; for a package compare its version with what your code was written for.",
    ),
    rule(
        "shared-library", "ImportError OSError", r"(?P<name>[\w.+-]+\.so[\w.]*): cannot open shared object", Category.IMPORT,
        "A compiled package needs the system's library {name}, which is not installed.",
        "Install the system package that brings {name}, or a wheel that bundles it.",
    ),
)  # fmt: skip

NAME_RULES = (
    rule(
        "local-unbound", "UnboundLocalError", r"'(?P<name>\w+)'", Category.NAME,
        "{name} is assigned somewhere in this function, so it is local there, and it is read before any assignment ran.",
        "Give {name} a value on every way through the function, or declare it `nonlocal`/`global`.",
    ),
    rule(
        "name-undefined", "NameError", r"name '(?P<name>\w+)' is not defined", Category.NAME,
        "Nothing defines {name} at this place.",
        "Import or define {name} before this line, or correct its spelling.",
    ),
    rule(
        "attribute-of-none", "AttributeError", r"'NoneType' object has no attribute '(?P<attribute>\w+)'", Category.TYPE,
        "The value before .{attribute} is None: what made it found or returned nothing.",
        "Look at where it is made: a search without a hit, a function without a return, a match that failed.",
        "Handle the None there, before .{attribute} is asked for.",
    ),
    rule(
        "module-attribute", "AttributeError", r"module '(?P<module>[\w.]+)' has no attribute '(?P<attribute>\w+)'",
        Category.NAME,
        "The module {module} defines no {attribute}.",
        "Check the spelling and the version; a file of your own named like a package hides the package.",
    ),
    rule(
        "attribute-missing", "AttributeError", r"'(?P<owner>[\w.]+)' object has no attribute '(?P<attribute>\w+)'",
        Category.TYPE,
        "A {owner} has no attribute {attribute}.",
        "Correct the spelling of {attribute}, or check that the value really should be a {owner}.",
    ),
)  # fmt: skip

TYPE_RULES = (
    rule(
        "none-used", "TypeError", r"'NoneType' object (?:is not (?P<what>\w+)|does not support (?P<use>[\w ]+)|cannot be)",
        Category.TYPE,
        "None is used as if it were a value ({what}{use}): a function returned nothing where something was expected.",
        "Find the function that made it and give it a `return` on every path, or handle None before this line.",
    ),
    rule(
        "argument-missing", "TypeError",
        r"(?P<function>[\w.<>]+)\(\) missing (?P<count>\d+) required (?:positional|keyword-only) arguments?: '(?P<name>\w+)'",
        Category.TYPE,
        "{function} is called without {name}, which it must be given ({count} missing in all).",
        "Pass {name} at the call, or give the parameter a default. A missing `self` means that a class is called in "
        "place of an object.",
    ),
    rule(
        "argument-unknown", "TypeError", r"(?P<function>[\w.<>]+)\(\) got an unexpected keyword argument '(?P<name>\w+)'",
        Category.TYPE,
        "{function} takes no argument called {name}.",
        "Correct the name at the call, or take {name} into the signature.",
    ),
    rule(
        "arguments-too-many", "TypeError",
        r"(?P<function>[\w.<>]+)\(\) takes (?P<most>(?:from )?\d+(?: to \d+)?) positional arguments? but (?P<given>\d+)",
        Category.TYPE,
        "{function} takes {most} positional arguments and was given {given}.",
        "Drop the argument, or pass it by name. One too many often means a missing `self` in the method's signature.",
    ),
    rule(
        "operands", "TypeError",
        r"unsupported operand type\(s\) for (?P<operator>[^:]+): '(?P<left>\w+)' and '(?P<right>\w+)'", Category.TYPE,
        "Python has no {operator} between a {left} and a {right}.",
        "Convert one of them where it comes in: numbers read from files, the environment or JSON are often texts.",
    ),
    rule(
        "comparison", "TypeError",
        r"'(?P<operator>[<>]=?)' not supported between instances of '(?P<left>[\w.]+)' and '(?P<right>[\w.]+)'",
        Category.TYPE,
        "A {left} and a {right} have no order, so they cannot be compared with {operator} or sorted.",
        "Convert both to one type, or sort with a `key`; leave None out first.",
    ),
    rule(
        "concatenation", "TypeError", r"can only concatenate (?P<left>\w+) \(not \"(?P<right>\w+)\"\) to",
        Category.TYPE,
        "A {right} cannot be added to a {left}.",
        "Write an f-string, or convert the {right} with `{left}(…)`.",
    ),
    rule(
        "unhashable", "TypeError", r"unhashable type: '(?P<name>\w+)'", Category.TYPE,
        "A {name} can change, so it can be no key of a dict and no member of a set.",
        "Use a tuple (or a frozenset) in its place.",
    ),
    rule(
        "not-serialisable", "TypeError", r"Object of type (?P<name>\w+) is not JSON serializable", Category.TYPE,
        "JSON has no word for a {name}.",
        "Turn it into plain data first: `float(x)` of NumPy numbers, `.tolist()` of arrays, `str(x)` of Decimal, Path and "
        "dates.",
    ),
    rule(
        "naive-datetime", "TypeError", r"offset-naive and offset-aware datetimes", Category.TYPE,
        "One time knows its zone and the other does not, so they cannot be compared or subtracted.",
        "Make both aware: `datetime.now(UTC)`, and `.replace(tzinfo=UTC)` for times that are meant as UTC.",
    ),
    rule(
        "not-usable", "TypeError", r"'(?P<name>[\w.]+)' object is not (?P<what>iterable|subscriptable|callable|awaitable)",
        Category.TYPE,
        "A {name} is not {what}.",
        "Look at where the value is made; a name may be used for two things, or a call may be missing or one too many.",
    ),
)  # fmt: skip

VALUE_RULES = (
    rule(
        "key-missing", "KeyError", r"^\s*(?P<key>.+?)\s*$", Category.VALUE,
        "The mapping has no key {key}.",
        "Look at what the keys really are (`sorted(mapping)`), and at where the mapping is filled.",
        "Where a missing key is normal, use `.get(…)` and say what stands in for it.",
    ),
    rule(
        "index-range", "IndexError", r"out of range|out of bounds", Category.VALUE,
        "The sequence is shorter than the position that is asked for.",
        "Check its length first; the last position is `len(x) - 1`, and an empty one has none.",
    ),
    rule(
        "number-text", "ValueError InvalidOperation",
        r"(?:invalid literal for int\(\) with base \d+|could not convert string to float): (?P<key>.+)", Category.VALUE,
        "{key} is no number as Python writes one.",
        "Strip blanks, thousands separators and units first; `int` takes no decimal point, `int(float(x))` does.",
    ),
    rule(
        "unpacking", "ValueError", r"(?P<what>not enough|too many) values to unpack \(expected (?P<count>\d+)", Category.VALUE,
        "The right side holds {what} values for the {count} names on the left.",
        "Look at what is unpacked: a row of another width, or an empty one; `first, *rest = …` takes any number.",
    ),
    rule(
        "broadcast", "ValueError", r"could not be broadcast together with shapes (?P<left>\([\d, ]*\)) (?P<right>\([\d, ]*\))",
        Category.VALUE,
        "Arrays of the shapes {left} and {right} do not fit together element by element.",
        "Compare how both are made: one is cut or shifted; `[:, None]` adds an axis where one is meant for each row.",
    ),
    rule(
        "array-truth", "ValueError", r"truth value of an? (?:array|Series|DataFrame)", Category.VALUE,
        "An array of several values was used as one condition.",
        "Say what is meant with `.any()` or `.all()`; between arrays write `&` and `|`, not `and` and `or`.",
    ),
    rule(
        "division-zero", "ZeroDivisionError DivisionByZero DivisionUndefined", r"", Category.VALUE,
        "Something is divided by zero.",
        "Decide what the answer is without anything to divide by (an empty list, no trades, no volume) and return it first.",
    ),
    rule(
        "recursion", "RecursionError", r"", Category.LOGIC,
        "A function calls itself without ever coming to its end.",
        "Check the condition that ends the recursion, and that every call comes nearer to it; else write a loop.",
    ),
    rule(
        "json-text", "JSONDecodeError", r"(?P<what>.+): line (?P<line>\d+) column (?P<column>\d+)", Category.VALUE,
        "The text is no JSON: {what} at line {line}, column {column}.",
        "Print the first characters of the text: an empty answer, an HTML page and single quotes are the usual ones.",
    ),
    rule(
        "unicode", "UnicodeDecodeError UnicodeEncodeError", r"'(?P<name>[\w-]+)' codec can't (?P<what>decode|encode)",
        Category.VALUE,
        "The text is not in {name}, or holds a character that {name} does not have.",
        "Open the file with its real encoding, such as `encoding=\"utf-8\"`; binary files with `\"rb\"`.",
    ),
    rule(
        "dict-changed", "RuntimeError", r"(?P<name>dictionary|Set|deque|OrderedDict)(?: changed size| mutated)? .*during iteration",
        Category.LOGIC,
        "The loop adds to or removes from the {name} that it runs over.",
        "Loop over a copy: `for key in list(mapping):`.",
    ),
    rule(
        "pydantic", "ValidationError", r"(?P<count>\d+) validation errors? for (?P<owner>\w+)\s+(?P<name>[\w.]+)\s+(?P<what>[^\[\n]+)",
        Category.VALUE,
        "{owner} does not take its field {name}: {what}",
        "Correct the value of {name} where it comes from; the message names the value that was given.",
    ),
    rule(
        "not-implemented", "NotImplementedError", r"", Category.LOGIC,
        "The code that was called is only a promise so far.",
        "Use a subclass that implements it, or write it.",
    ),
)  # fmt: skip

TEST_RULES = (
    rule(
        "did-not-raise", "Failed", r"DID NOT RAISE(?: <class '(?P<name>[\w.]+)'>)?", Category.ASSERTION,
        "The test expects {name} to be raised, and nothing was.",
        "The code no longer refuses this input, or refuses it later: look at its checks.",
    ),
    rule(
        "fixture-missing", "", r"fixture '(?P<name>\w+)' not found", Category.NAME,
        "The test asks for a fixture {name} that pytest cannot see from its file.",
        "Put it in a conftest.py of the same folder or above, or install the plugin that brings it.",
    ),
    rule(
        "numpy-assertion", "AssertionError", r"Mismatched elements: (?P<count>\d+) / (?P<total>\d+)", Category.ASSERTION,
        "{count} of {total} numbers of two arrays differ.",
        "See whether they differ by rounding (then say a tolerance) or by an offset (then by one position).",
    ),
    rule(
        "compared", "AssertionError",
        r"\Aassert (?P<left>[^\n]+?) (?P<operator>==|!=|<=|>=|<|>|not in|in|is not|is) (?P<right>[^\n]+)", Category.ASSERTION,
        "The check `{left} {operator} {right}` did not hold.",
        "Decide which side is right: the expectation is out of date, or the code computes something else.",
        "The lines that begin with `where` say how the left value came about.",
    ),
    rule(
        "assertion", "AssertionError", r"", Category.ASSERTION,
        "A check did not hold.",
        "Decide which side is right: the expectation is out of date, or the code computes something else.",
    ),
    rule(
        "test-timeout", "TestTimeout Timeout", r"", Category.TIMEOUT,
        "The test ran longer than it may.",
        "Look for a loop without progress or a wait for what never comes at the innermost frame; a test that is rightly "
        "slow is marked as such.",
    ),
    rule(
        "warning-as-error", "DeprecationWarning FutureWarning PytestUnraisableExceptionWarning ResourceWarning",
        r"(?P<what>.+)", Category.LOGIC,
        "A warning was turned into an error: {what}",
        "Do what the warning asks for; until then name it in `filterwarnings` with the reason.",
    ),
)  # fmt: skip

PYTHON_RULES = (
    *SYNTAX_RULES, *IMPORT_RULES, *NAME_RULES, *TYPE_RULES, *VALUE_RULES, *TEST_RULES,
)  # fmt: skip
