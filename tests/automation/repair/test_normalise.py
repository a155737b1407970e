import pytest

from automation.repair.normalise import program_key
from tests.automation.repair.templates.search import same_program


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x = 1", "x = (1)  # one"),
        ("x = a + b * c", "x = (a\n     + (b * c))\n"),
        ("x = 'a'", 'x = "a"'),
        ("x = not a in b", "x = a not in b"),
        ("if a:\n    x = 1", "if a:\n        x = 1\n\n"),
        ("x = 60 * 60", "x = 3600"),
    ],
)
def test_layout_comments_and_brackets_do_not_count(first: str, second: str):
    assert same_program(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x = 1", "x = True"),
        ("x = 0.0", "x = -0.0"),
        ("x = a < b", "x = a <= b"),
        ("def f(a, b): return a", "def f(b, a): return a"),
        ("def f(a=1): pass", "def f(a=2): pass"),
        ("try:\n    f()\nfinally:\n    g()", "f()\ng()"),
        ("x = (1, 2)", "x = (1, True)"),
        ("def f(): return 1", "def f(): yield 1"),
        ("x = {1, 2} == y", "x = {1, 3} == y"),
    ],
)
def test_different_programs_differ(first: str, second: str):
    assert not same_program(first, second)


@pytest.mark.parametrize("text", ["x = ", "return 1", "break", "def f(:\n    pass", "x = 1\0", "await f()"])
def test_text_that_is_no_program_is_refused(text: str):
    with pytest.raises((SyntaxError, ValueError)):
        program_key(text)
    assert not same_program(text, text)


def test_indented_lines_compile_as_they_stand():
    assert program_key("    def f(self):\n        return self.a\n", indented=True) == program_key(
        "  def f(self):\n     return (self.a)\n", indented=True
    )


def test_questionable_literals_warn_nobody():
    assert program_key("x = y is 1000") != program_key("x = y == 1000")
