"""Whether two texts are the same program: a key that formatting, comments and redundant brackets do not change."""

from __future__ import annotations

import hashlib
import warnings
from types import CodeType

UNREADABLE = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError)


def program_key(text: str, *, indented: bool = False) -> str:
    """Return a key that is equal for texts that compile to the same program.

    The compiler is the normaliser: it drops layout, comments, brackets and dead code and folds constants; what is
    left (instructions, names and constants, without positions) is hashed. It also refuses what merely parses, such as
    a ``return`` outside a function.

    Parameters
    ----------
    text : str
        A module, or with ``indented`` whole lines of one block.
    indented : bool
        Whether the first line is indented.

    Returns
    -------
    str
        Hexadecimal; only comparable within one version of Python.

    Raises
    ------
    SyntaxError
        When the text is no program.
    ValueError
        When the text holds what no source may hold.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile("if 1:\n" + text if indented else text, "<candidate>", "exec", dont_inherit=True, optimize=0)
    return hashlib.blake2b(repr(_shape(code)).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def _shape(code: CodeType) -> tuple[object, ...]:
    constants = tuple(_shape(value) if isinstance(value, CodeType) else _constant(value) for value in code.co_consts)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return code.co_name, code.co_code, code.co_exceptiontable, names, counts, constants


def _constant(value: object) -> tuple[str, object]:
    if isinstance(value, tuple):
        return "tuple", tuple(_constant(item) for item in value)
    if isinstance(value, frozenset):
        return "frozenset", tuple(sorted(repr(_constant(item)) for item in value))
    return type(value).__name__, repr(value)
