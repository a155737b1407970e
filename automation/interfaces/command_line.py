"""The command line, derived from the registry: Typer commands whose options load only when they are asked for."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from automation.interfaces.terminal import Interrupted, Manner, StdoutClosed, print_error, run_to_end, set_logging
from trading import __version__
from trading.commands import Command, Registry
from trading.errors import ExitCode, UsageError

if TYPE_CHECKING:
    # Typer hands these to its commands and names them in no public module.
    from typer._click.core import Context, Parameter
    from typer._click.formatting import HelpFormatter

GroupKind = TypeVar("GroupKind", bound=TyperGroup)

PROGRAM = "gridbot"
_SUMMARY = "Trade a trailing grid in backtest, paper and live, and let the system maintain itself."
_GROUPS = {
    "agents": "Signal agents: which there are, and why they voted as they did.",
    "config": "Settings: every value, where it comes from, what it means.",
    "improvement": "Improvement: what repairs cost and achieved, and which of two commands is faster.",
    "models": "Language models: list, pull, use, check, measure.",
    "runs": "Repair runs: list, show, resume, approve, reject, abandon.",
    "data": "Candles: import, export, check, list, download, make.",
    "keys": "Keys of exchange accounts: keep, list, test, forget.",
    "vscode": "VS Code: write its tasks from the registry, install its shortcuts.",
    "sessions": "Paper and live sessions: the word alone lists them; show, report, replay, stop.",
}
_CONTEXT = {"help_option_names": ["-h", "--help"]}

JsonFlag = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON object; of a session, one for each event.", rich_help_panel="Everywhere"
    ),
]
DebugFlag = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks and debug logs.", rich_help_panel="Everywhere")
]
QuietFlag = Annotated[bool, typer.Option("--quiet", help="Show no progress.", rich_help_panel="Everywhere")]
HomePath = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="PATH",
        help="Folder of candles, journals and runs; else GRIDBOT_HOME, or .gridbot in a checkout.",
        rich_help_panel="Everywhere",
    ),
]


def run_command_line(registry: Registry, arguments: Sequence[str]) -> int:
    """Parse one command line, run its command and print what it hands back.

    Parameters
    ----------
    registry : Registry
        The commands that can be asked for.
    arguments : sequence of str
        Words after the program's name.

    Returns
    -------
    int
        The exit code for the shell, one of `ExitCode`.
    """
    try:
        return _parse_and_run(registry, arguments)
    except StdoutClosed:
        code: object = ExitCode.FAILED
    except SystemExit as end:
        # Typer and rich end the process themselves after a completion script and on a closed pipe.
        code = end.code
    _let_go_of_closed_stdout()
    return code if isinstance(code, int) else ExitCode.DONE


def build_application(registry: Registry) -> TyperGroup:
    """Return the Typer application of a registry; neither request models nor functions are loaded.

    Parameters
    ----------
    registry : Registry
        A command of two words becomes the second word's command in the first word's group.

    Returns
    -------
    TyperGroup
        Its `main` runs a command line.
    """
    root = _group(PROGRAM, _SUMMARY, _front_page, FrontPage)
    groups: dict[str, CommandGroup] = {}
    plain = {command.name: command for command in registry if " " not in command.name}
    for command in registry:
        first, _, second = command.name.partition(" ")
        if not second:
            root.add_command(RegistryCommand(command, first))
            continue
        if first not in groups:
            summary = _GROUPS.get(first, f"Commands about {first}.")
            groups[first] = _command_group(first, summary, plain.get(first))
        groups[first].add_command(RegistryCommand(command, second))
    for name, group in groups.items():
        root.add_command(group, name)
    return root


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A command line that was understood and not yet run.

    Parameters
    ----------
    command : Command
        The registry's entry.
    values : mapping of str to object
        What was given of its request, by field name, as JSON data.
    help : bool
        The line asks what the command takes, not that it runs.
    """

    command: Command
    values: Mapping[str, object]
    help: bool = False


def parse_line(registry: Registry, line: str) -> ParsedLine:
    """Parse one exact command line without running it.

    Parameters
    ----------
    registry : Registry
        The commands that can be asked for.
    line : str
        As it is typed into a shell; the program's name may be left out.

    Returns
    -------
    ParsedLine
        Its command, and values that its request takes.

    Raises
    ------
    UsageError
        One sentence, when it names no command, or what the command does not take.
    """
    from automation.requests import build_request

    words = _words(line)
    names = {command.name for command in registry}
    taken = next((count for count in (2, 1) if " ".join(words[:count]) in names), 0)
    if not taken:
        raise UsageError(f"there is no command {' '.join(words[:2])!r}; `{PROGRAM} --help` lists them")
    command, rest = registry[" ".join(words[:taken])], words[taken:]
    if any(word in _CONTEXT["help_option_names"] for word in rest):
        return ParsedLine(command, {}, help=True)
    parser = RegistryCommand(command, command.name)
    try:
        params = parser.make_context(f"{PROGRAM} {command.name}", rest).params
    except typer.TyperException as error:
        raise UsageError(_usage_sentence(error)) from None
    model = command.load_request()
    build_request(model, params, command.name)
    own = {name: value for name, value in params.items() if name in model.model_fields}
    given = {name: _json_value(value) for name, value in own.items() if value not in (None, [], ())}
    return ParsedLine(command, given)


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"the line cannot be split into words: {str(error).lower()}") from None
    return words[1:] if words[:1] == [PROGRAM] else words


def _json_value(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


class RegistryCommand(TyperCommand):
    """A registered command whose options are read from its request model when they are first needed.

    Parameters
    ----------
    command : Command
        The registry's entry.
    name : str
        What it is called where it is listed.
    """

    def __init__(self, command: Command, name: str) -> None:
        super().__init__(name, help=command.summary, context_settings=_CONTEXT, rich_markup_mode="rich")
        self._command = command
        self._loaded = False

    def called(self, name: str) -> RegistryCommand:
        """Return the same command under another name."""
        return RegistryCommand(self._command, name)

    def get_params(self, ctx: Context) -> list[Parameter]:
        """Return the command's own options, then those that every command has."""
        if not self._loaded:
            from automation.interfaces.options import option_signature

            shared = _parameters(_shared_options)
            own = option_signature(self._command.load_request(), {param.name for param in shared if param.name})
            self.params = [*_parameters(own), *shared]
            self._loaded = True
        return super().get_params(ctx)

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help, then the examples from the registry."""
        super().format_help(ctx, formatter)
        self.format_examples(formatter)

    def format_examples(self, formatter: HelpFormatter) -> None:
        """Write the examples from the registry."""
        lines = (f"{PROGRAM} {example}" for example in self._command.examples)
        # A backslash ends each line but the last, so that an example can be copied as it stands.
        shown = (" \\\n       ".join(wrap(line, 70, break_long_words=False, break_on_hyphens=False)) for line in lines)
        formatter.write(" Examples:\n\n" + "".join(f"   {example}\n" for example in shown))

    def invoke(self, ctx: Context) -> int:
        """Run the command with the parsed options and return its exit code."""
        manner = _manner(ctx)
        try:
            return self._run(ctx, manner)
        except StdoutClosed:
            raise
        except Exception as error:  # noqa: BLE001 - the outermost frame: whatever is left is told to the person
            return print_error(error, manner)

    def _run(self, ctx: Context, manner: Manner) -> int:
        from automation.requests import build_request

        set_logging(manner)
        home = next((given for given in _given(ctx, "home") if given), None)
        if home is not None:
            os.environ["GRIDBOT_HOME"] = str(Path(str(home)).expanduser().absolute())
        request = build_request(self._command.load_request(), ctx.params, self._command.name)
        return run_to_end(self._command.load_function()(request), manner)


class CommandGroup(TyperGroup):
    """Commands that share their first word; that word alone may be one as well."""

    alone: RegistryCommand | None = None

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help, then examples of the word alone."""
        super().format_help(ctx, formatter)
        if self.alone is not None:
            self.alone.format_examples(formatter)


class FrontPage(TyperGroup):
    """The program itself; its help lists every command in full, those of groups too."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help."""
        listed = TyperGroup(name=self.name, help=self.help, params=self.params, context_settings=_CONTEXT)
        for name, entry in self.commands.items():
            members = dict(entry.commands) if isinstance(entry, TyperGroup) else {"": entry}
            if isinstance(entry, CommandGroup) and entry.alone is not None:
                members = {"": entry.alone, **members}
            for member, command in members.items():
                if isinstance(command, RegistryCommand):
                    listed.add_command(command.called(f"{name} {member}".rstrip()))
        listed.format_help(ctx, formatter)


def _parse_and_run(registry: Registry, arguments: Sequence[str]) -> int:
    try:
        application = build_application(registry)
        words = list(arguments) or ["--help"]
        code = application.main(args=words, prog_name=PROGRAM, standalone_mode=False)
    except StdoutClosed:
        raise
    except typer.TyperException as error:
        return print_error(UsageError(_usage_sentence(error)), _manner_of_words(arguments))
    except typer.Abort:
        return print_error(Interrupted("aborted"), _manner_of_words(arguments))
    except Exception as error:  # noqa: BLE001 - a request model that cannot be loaded is told like any other failure
        return print_error(error, _manner_of_words(arguments))
    return int(code or ExitCode.DONE)


def _front_page(
    ctx: typer.Context,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    quiet: QuietFlag = False,
    home: HomePath = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version.", rich_help_panel="Everywhere"
        ),
    ] = False,
) -> None:
    _group_page(ctx, json, debug, quiet, home)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


def _group_page(
    ctx: typer.Context,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    quiet: QuietFlag = False,
    home: HomePath = None,
) -> None:
    # The options are read where the command runs, from every level at once; a group alone shows what it holds.
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def _running_page(alone: RegistryCommand) -> Callable[..., int | None]:
    def page(
        ctx: typer.Context,
        json: JsonFlag = False,
        debug: DebugFlag = False,
        quiet: QuietFlag = False,
        home: HomePath = None,
    ) -> int | None:
        if ctx.invoked_subcommand is not None:
            return None
        with alone.make_context(alone.name, [], parent=ctx) as own:
            return alone.invoke(own)

    return page


def _shared_options(
    json: JsonFlag = False, debug: DebugFlag = False, quiet: QuietFlag = False, home: HomePath = None
) -> None:
    return None


def _command_group(name: str, summary: str, command: Command | None) -> CommandGroup:
    alone = RegistryCommand(command, name) if command is not None else None
    group = _group(name, summary, _group_page if alone is None else _running_page(alone), CommandGroup)
    group.alone = alone
    return group


def _group(name: str, summary: str, page: Callable[..., int | None], kind: type[GroupKind]) -> GroupKind:
    application = typer.Typer(
        name=name,
        help=summary,
        cls=kind,
        add_completion=kind is FrontPage,
        invoke_without_command=True,
        context_settings=_CONTEXT,
        rich_markup_mode="rich",
    )
    application.callback()(page)
    group = get_command(application)
    if not isinstance(group, kind):
        raise TypeError(f"Typer made {type(group).__name__} of {name}, not {kind.__name__}")
    return group


def _parameters(function: Callable[..., None]) -> list[Parameter]:
    application = typer.Typer(add_completion=False)
    application.command()(function)
    return list(get_command(application).params)


def _given(ctx: Context, name: str) -> Iterator[object]:
    level: Context | None = ctx
    while level is not None:
        yield level.params.get(name)
        level = level.parent


def _manner(ctx: Context) -> Manner:
    return Manner(json=any(_given(ctx, "json")), debug=any(_given(ctx, "debug")), quiet=any(_given(ctx, "quiet")))


def _manner_of_words(arguments: Sequence[str]) -> Manner:
    # The line could not be parsed, so its words are all there is to go by.
    return Manner(json="--json" in arguments, debug="--debug" in arguments, quiet="--quiet" in arguments)


def _usage_sentence(error: typer.TyperException) -> str:
    message = " ".join(error.format_message().split()).rstrip(".")
    ctx = getattr(error, "ctx", None)
    return f"{message[:1].lower()}{message[1:]}; see `{ctx.command_path if ctx else PROGRAM} --help`"


def _let_go_of_closed_stdout() -> None:
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        # Whoever read our output has gone; the interpreter must not complain about it again while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
