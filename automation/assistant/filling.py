"""What an argument may be filled from: the reading of a sentence, the caller's context, and what there is."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel

from automation.assistant.answers import Context
from automation.assistant.names import Names
from automation.assistant.places import Places
from automation.assistant.reading import Reading


@dataclass(slots=True)
class Filling:
    """Values for one command, as they are found.

    Parameters
    ----------
    command : str
        The command's name.
    model : type of BaseModel
        Its request.
    reading : Reading
        The sentence.
    context : Context
        What the caller knows.
    names : Names
        Sessions, runs, settings.
    places : Places
        The repository.
    before : mapping of str to object
        Values of the step before, for "it".
    values : dict of str to object
        What is filled so far, by field name.
    used : list of (int, int)
        Places of the sentence that are understood, so that what is left can be told.
    """

    command: str
    model: type[BaseModel]
    reading: Reading
    context: Context
    names: Names
    places: Places
    before: dict[str, object] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    used: list[tuple[int, int]] = field(default_factory=list)

    def put(self, name: str, value: object) -> None:
        """Set a field that the request has and that is not set yet; None is nothing."""
        if value is not None and value not in ([], "") and name in self.model.model_fields and name not in self.values:
            self.values[name] = value

    def replace(self, name: str, value: object) -> None:
        """Set a field anew."""
        self.values.pop(name, None)
        self.put(name, value)

    def has(self, *names: str) -> bool:
        """Say whether any of the fields is set."""
        return any(name in self.values for name in names)

    def is_list(self, name: str) -> bool:
        """Say whether a field takes several values."""
        field = self.model.model_fields.get(name)
        return field is not None and "list[" in str(field.annotation)

    def is_used(self, start: int, end: int) -> bool:
        """Say whether a place of the sentence is understood already, as a whole or in part."""
        return any(begin < end and start < stop for begin, stop in self.used)

    @property
    def lowered(self) -> str:
        """The sentence in small letters."""
        return self.reading.text.lower()

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that the command needs and that are not set."""
        return tuple(
            name for name, field in self.model.model_fields.items() if field.is_required() and name not in self.values
        )
