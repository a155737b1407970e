"""Pages that hold all they need: how templates are filled, and how a file is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def filled(package: str, template: str, filters: Mapping[str, Callable[..., object]], **values: object) -> str:
    """Fill a template; every text of it is escaped, and a name that is missing is an error.

    Parameters
    ----------
    package : str
        Dotted name of the package whose ``assets`` hold the template.
    template : str
        Name of its file.
    filters : mapping of str to callable
        Beside Jinja's own.
    **values
        What the template names; ``style`` is there already, the reports' style sheet.
    """
    environment = Environment(
        loader=FunctionLoader(lambda name: asset(package, name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    style = Markup(asset(__package__, "report.css"))  # noqa: S704 - our own asset
    return environment.get_template(template).render(style=style, **values)


def asset(package: str, name: str) -> str:
    """Return the text of a file among a package's assets."""
    return (files(package) / "assets" / name).read_text(encoding="utf-8")


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that no one finds half of it; an older one is replaced."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
