"""What a repository says beyond one file: read when it is first asked for, since most docstrings need none of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from automation.tasks.document.exceptions import Exceptions, exceptions_of
from automation.tasks.document.meanings import Vocabulary, learn
from automation.tasks.document.signatures import outer_functions_of, raises_of
from automation.tasks.review.docstrings import documentable
from automation.tasks.review.ground import Ground


class Knowledge:
    """What the repository around a scope says.

    Parameters
    ----------
    ground : Ground
        The scope.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What its docstrings say of parameters."""
        return learn(each for file in self._ground.around.values() for each in documentable(file))

    @cached_property
    def exceptions(self) -> Exceptions:
        """The exceptions that it defines and imports."""
        return exceptions_of([file.tree for file in self._ground.around.values()])

    @cached_property
    def raised_by(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """By exception, which function raises it and under which condition."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for file in self._ground.around.values():
            for name, function in outer_functions_of(file.tree):
                for each in raises_of(function):
                    found[each.name].append((name, each.condition))
        return found
