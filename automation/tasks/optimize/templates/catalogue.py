"""All templates, in the order in which they are tried on a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from automation.codebase.sources import SourceFile
from automation.repair.statements import function_named
from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.accumulation import accumulation
from automation.tasks.optimize.templates.arithmetic import arithmetic
from automation.tasks.optimize.templates.caching import caching
from automation.tasks.optimize.templates.compiled import compiled
from automation.tasks.optimize.templates.comprehensions import comprehension
from automation.tasks.optimize.templates.constants import constants
from automation.tasks.optimize.templates.copies import copies
from automation.tasks.optimize.templates.hoisting import hoisting, patterns
from automation.tasks.optimize.templates.mappings import mappings
from automation.tasks.optimize.templates.membership import membership
from automation.tasks.optimize.templates.quadratic import quadratic
from automation.tasks.optimize.templates.subject import Subject, Template
from automation.tasks.optimize.templates.vectors import vectors

TEMPLATES: tuple[Template, ...] = (
    membership,
    quadratic,
    caching,
    vectors,
    compiled,
    comprehension,
    accumulation,
    hoisting,
    patterns,
    constants,
    mappings,
    copies,
    arithmetic,
)


def template_drafts(source: SourceFile, function: str, root: Path) -> Iterator[Draft]:
    """Yield what the templates make of a function.

    Parameters
    ----------
    source : SourceFile
        Its file.
    function : str
        Dotted name.
    root : Path
        The repository, whose dependencies some templates ask for.
    """
    try:
        tree = ast.parse(source.text)
    except SyntaxError:
        return
    span = function_named(tree, function)
    if span is None:
        return
    subject = Subject(source, tree, span, root)
    for template in TEMPLATES:
        yield from template(subject)
