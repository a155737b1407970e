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
    """

    command: str
    model: type[BaseModel]
    reading: Reading
    context: Context
    names: Names
    places: Places
    before: dict[str, object] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)

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
