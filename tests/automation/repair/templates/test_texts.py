import pytest

from tests.automation.repair.templates.search import Fault, check


def found(pattern: str, how: str = "match") -> str:
    return f"import re\n\ndef found(text):\n    return re.{how}({pattern}, text)\n"


def one(line: str) -> str:
    return f"def cleaned(text):\n    parts = text.lower().split('=')\n    return {line}\n"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(found("r'[a-z]+'"), found("r'^[a-z]+$'"), "pattern", 60),
        Fault(found("r'a*b'"), found("r'a+b'"), "pattern", 60),
        Fault(found("r'<.*>'", "sub"), found("r'<.*?>'", "sub"), "pattern", 60),
        Fault(found("r'\\d'"), found("r'\\d+'"), "pattern", 60),
        Fault(found("'v1.2'"), found("r'v1\\.2'"), "pattern", 60),
        Fault("def key(line):\n    return line.split(':')\n", "def key(line):\n    return line.split(':', 1)\n",
              "text-call", 60),
        Fault("def last(path):\n    return path.partition('/')\n", "def last(path):\n    return path.rpartition('/')\n",
              "attribute", 60),
        Fault(one("text.lower(), parts"), one("text.lower().strip('='), parts"), "text-call", 300),
    ],
)  # fmt: skip
def test_right_handling_of_text_is_found(fault: Fault):
    check(fault)
