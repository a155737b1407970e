"""The documentation does what it says: links lead somewhere, commands and code run, tables are those of the code."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from automation.interfaces.command_line import build_application, run_command_line
from automation.registry import gridbot_registry
from automation.requests import build_request, option_name
from tests.doc_pages import (
    PAGES,
    README,
    ROOT,
    SETTINGS,
    Block,
    blocks,
    commands,
    headings,
    links,
    prose,
    region,
    table,
)
from tests.doc_tables import generated
from tests.trading.engine.tapes import book_for, random_tape, settings_with
from trading import backtest
from trading.commands import Command, Registry
from trading.engine.codes import FillReason, SlotState
from trading.engine.decisions import begin_candle, decide, see_signal
from trading.engine.matching import match
from trading.engine.state import Book
from trading.engine.tape import Tape
from trading.engine.trailing import on_price
from trading.errors import ExitCode
from trading.market import Candles
from trading.market.synthetic import synthetic_candles
from trading.sessions.portfolio import backtest_portfolio
from trading.sessions.requests import BacktestRequest
from trading.setting_sources import load_settings
from trading.settings import Settings, setting_names

PICTURE_BYTES = 250_000
REFRESH = "run `python -m tests.test_docs --write` and look at what it changed"

EDGE = re.compile(r"^\s+(\w+) --> (\w+) : ", re.MULTILINE)
NOT_OURS = (
    re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp|mnt|srv|opt)/\w"),
    re.compile(r"[A-Za-z]:\\\\?\w"),
    re.compile(r"--(?:extra-)?index-url|--find-links|PIP_INDEX|/simple/|/pypi/|artifactory|nexus|devpi", re.IGNORECASE),
)


# A line of its own, not a text that code puts together.
_DOCTEST = re.compile(r"^\s*>>> ", re.MULTILINE)

# Commands that need a network, a model or long minutes, or a run and files that somebody else has.
ELSEWHERE = frozenset(
    {
        "data download",
        "demo",
        "simulate",
        "nightly",
        # what they do to a repository or a terminal is shown by tests of their own
        *("ask", "console", "mcp", "explain", "review", "test", "document", "optimize", "search", "health"),
        "vscode install",
        "improvement compare",
        "models health",
        "models pull",
        "models bench",
        "models use",
        *(f"runs {verb}" for verb in ("show", "resume", "approve", "reject", "abandon")),
    }
)
# A source that is in another project's repository.
NOT_IN_OURS = frozenset({"docs/gguf.md"})
NAMED_BY_CODE = re.compile(r"(?<![\w/])docs/[\w-]+\.(?:md|png|svg)(?:#[\w-]+)?")


# What is generated from the code


@pytest.mark.parametrize(("page", "name", "text"), list(generated()), ids=lambda part: str(part)[:40].split("\n")[0])
def test_a_generated_table_is_that_of_the_code(page: Path, name: str, text: str) -> None:
    assert region(page, name).strip() == text.strip(), REFRESH


def test_every_setting_has_a_row() -> None:
    assert re.findall(r"^\| `([\w.]+)`", region(SETTINGS, "settings"), re.MULTILINE) == [*setting_names()]


# Links, names and places


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for link in links(prose(page)):
        if link.startswith("https://"):
            continue
        assert "://" not in link, f"{page.name} links to {link}; use https"
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name} links to {link}"
        assert target.is_relative_to(ROOT), f"{page.name} links out of the repository: {link}"
        assert not anchor or anchor in headings(target), f"{page.name} links to {link}, a heading that is not there"
        is_picture = target.suffix in {".png", ".svg"}
        assert not is_picture or target.stat().st_size <= PICTURE_BYTES, f"{link} is too large a picture"


def _targets(page: Path) -> set[Path]:
    return {(page.parent / link.partition("#")[0]).resolve() for link in links(prose(page)) if "://" not in link}


def test_every_page_is_linked_from_the_readme() -> None:
    assert {page for page in PAGES if page != README} <= _targets(README)


def test_every_picture_is_shown_by_a_page() -> None:
    shown = {target for page in PAGES for target in _targets(page)}
    assert {*(ROOT / "docs").glob("*.png"), *(ROOT / "docs").glob("*.svg")} <= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_heading_that_is_linked_to_is_the_only_one_of_its_name(page: Path) -> None:
    anchors = {link.rpartition("#")[2] for other in PAGES for link in links(prose(other)) if _leads(other, link, page)}
    found = headings(page)
    assert [anchor for anchor in anchors if found.count(anchor) > 1] == []


def _leads(page: Path, link: str, target: Path) -> bool:
    name, mark, _ = link.partition("#")
    return bool(mark) and (page.parent / name if name else page).resolve() == target


def test_pages_that_code_names_exist() -> None:
    files = [file for wing in ("trading", "automation", "benchmarks") for file in (ROOT / wing).rglob("*.py")]
    texts = [file.read_text(encoding="utf-8") for file in (*files, ROOT / "Makefile", ROOT / "pyproject.toml")]
    for named in sorted({found for text in texts for found in NAMED_BY_CODE.findall(text)} - NOT_IN_OURS):
        name, _, anchor = named.partition("#")
        assert (ROOT / name).is_file(), named
        assert not anchor or anchor in headings(ROOT / name), named


@pytest.mark.parametrize(
    "text",
    ["[a](gone.md)", "![a](gone.png 'x') [b](gone.md \"title\")", "[a]: gone.md", '<img alt="" src="gone.md">'],
)
def test_every_way_to_link_is_seen(text: str) -> None:
    assert "gone.md" in links(text)


def test_code_that_names_a_page_is_seen() -> None:
    assert NAMED_BY_CODE.findall("see docs/guide.md#a-backtest, or docs/x") == ["docs/guide.md#a-backtest"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_knows_a_machine_or_a_registry(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [found[0] for pattern in NOT_OURS if (found := pattern.search(text))] == []


@pytest.mark.parametrize("text", ["see /home/someone/x", r"C:\\Users\me", "pip install --index-url https://x y"])
def test_a_machine_s_path_is_noticed(text: str) -> None:
    assert any(pattern.search(text) for pattern in NOT_OURS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_that_a_page_names_exists(page: Path) -> None:
    quoted = re.findall(r"`([^`\n]+)`", prose(page))
    for name in quoted:
        if re.fullmatch(r"(?:trading|automation|tests|benchmarks|docs|reports)/[\w./]*", name):
            assert (ROOT / name).exists(), f"{page.name} names {name}"
        elif re.fullmatch(r"(?:trading|automation)(?:\.\w+)+(?:\(\))?", name):
            assert _found(name.removesuffix("()")), f"{page.name} names {name}"


def _found(dotted: str) -> bool:
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            thing = getattr(thing, part, None)
        return thing is not None
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    known = _tests() | {Path(block.file).stem for block in blocks(page) if block.file}
    # Not a setting such as repair.test_timeout_s, nor a folder such as test_data.
    named = set(re.findall(r"(?<![.\w])test_[a-z0-9_]+\b(?!/)", prose(page)))
    assert named - known == set()


@cache
def _tests() -> frozenset[str]:
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    known = {file.stem for file in files}
    for file in files:
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        known |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(known)


# Commands and code


@pytest.mark.parametrize(
    ("page", "line"),
    [(page, line) for page in PAGES for block in blocks(page) for line in commands(block)],
    ids=lambda part: part.name if isinstance(part, Path) else part,
)
def test_a_command_line_parses(page: Path, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    if {"--help", "--version"} & set(words):
        return
    command = _command_of(words)
    entry = build_application(Registry([command]))
    context = entry.make_context("gridbot", _global_words(words))
    for word in command.name.split():
        found = entry.get_command(context, word)
        assert found is not None
        entry = found
    rest = words[len(_global_words(words)) + len(command.name.split()) :]
    context = entry.make_context(command.name.split()[-1], rest, parent=context)
    assert isinstance(build_request(command.load_request(), context.params, command.name), command.load_request())


def _global_words(words: list[str]) -> list[str]:
    return words[:2] if words[0] == "--home" else []


def _command_of(words: list[str]) -> Command:
    rest = words[len(_global_words(words)) :]
    names = [" ".join(rest[:count]) for count in (2, 1)]
    return next(command for name in names for command in gridbot_registry() if command.name == name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_knows_its_targets(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = [block.text for block in blocks(page) if block.language == "bash"]
    assert {target for text in shown for target in re.findall(r"^make ([\w-]+)", text, re.MULTILINE)} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_settings_file_that_a_page_shows_is_valid(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "toml" and block.file is None:
            (tmp_path / "gridbot.toml").write_text(block.text, encoding="utf-8")
            assert load_settings(path=tmp_path / "gridbot.toml") != Settings()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of someone who follows a page: a few candle files, nothing else."""
    files = {
        "BTC-USDT-5m.parquet": synthetic_candles("BTC/USDT", "5m", candles=3_000, seed=3),
        "ETH-USDT-5m.parquet": synthetic_candles("ETH/USDT", "5m", candles=3_000, seed=4, start_price=2_000.0),
        "BTC-USDT-1h.parquet": _with_a_gap(synthetic_candles("BTC/USDT", "1h", candles=2_000, seed=5)),
    }
    for name, series in files.items():
        pq.write_table(pa.table(series.columns()), tmp_path / name)
    # What a page sets must not reach the configuration and the models of who runs the tests.
    shutil.copy(ROOT / "automation_config.json", tmp_path)
    monkeypatch.setenv("GRIDBOT_AUTOMATION_CONFIG", str(tmp_path / "automation_config.json"))
    monkeypatch.setenv("GRIDBOT_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def _with_a_gap(candles: Candles) -> Candles:
    rows = [row for row in range(len(candles)) if not 700 <= row < 712]
    columns = {name: column[rows] for name, column in candles.columns().items()}
    return Candles.from_columns(candles.symbol, candles.timeframe, columns)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_works_for_who_follows_it(page: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.file is not None:
            _write(desk / block.file, block)
        elif block.language == "python":
            exec(compile(block.text, f"{page.name}: {block.text.splitlines()[0]}", "exec"), names)
        for line in commands(block):
            words = shlex.split(line, comments=True)[1:]
            if block.language == "powershell" or not _can_run_here(words):
                continue
            code = run_command_line(gridbot_registry(), words)
            assert code in {ExitCode.DONE, ExitCode.NOTHING_TO_DO}, f"{line}: {capsys.readouterr().err}"
    for module in [module for module, loaded in sys.modules.items() if _is_below(loaded, desk)]:
        del sys.modules[module]


def _can_run_here(words: list[str]) -> bool:
    name = _command_of(words).name
    if name in ("fix", "incidents"):
        # What they look at must have been made by the page.
        return len(words) > 1 and Path(words[1]).is_dir()
    return name not in ELSEWHERE


def _is_below(module: object, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(folder)


def _write(path: Path, block: Block) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    if path.name == "pyproject.toml":
        _install(path)


def _install(pyproject: Path) -> None:
    """Write what an installer leaves of a project beside it: its name, version and entry points."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    info = pyproject.parent / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    points = [
        f"[{group}]\n" + "".join(f"{point} = {target}\n" for point, target in members.items())
        for group, members in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(points), encoding="utf-8")
    importlib.invalidate_caches()


def test_the_checker_runs_what_it_finds(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('```bash\ngridbot data \\\n  list\nls\n```\n```python title="a.py"\nx = 1\n```\n', encoding="utf-8")
    shell, code = blocks(page)
    assert [line.split() for line in commands(shell)] == [["gridbot", "data", "list"]]
    assert (code.file, code.text) == ("a.py", "x = 1\n")
    assert commands(code) == []


def _modules_with_doctests() -> list[str]:
    files = [file for wing in ("trading", "automation") for file in sorted((ROOT / wing).rglob("*.py"))]
    chosen = [file for file in files if _DOCTEST.search(file.read_text(encoding="utf-8"))]
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in chosen]


@pytest.mark.parametrize("module", _modules_with_doctests())
def test_doctests_of_the_public_api(module: str) -> None:
    outcome = doctest.testmod(importlib.import_module(module), raise_on_error=False)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_the_backtest_has_a_doctest() -> None:
    assert "trading.sessions.backtest" in _modules_with_doctests()


# Tables that name every field


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], list[str], list[str]]:
    """The JSON of a backtest over a market with a gap, and the columns of its two files."""
    candles = _with_a_gap(synthetic_candles("SIM/USDT", "5m", candles=10_000, seed=7))
    result = backtest(candles, Settings(symbol="SIM/USDT"), allow_gaps=True)
    folder = tmp_path_factory.mktemp("answers")
    files = [result.write_fills(folder / "fills.parquet"), result.write_equity(folder / "equity.parquet")]
    columns = [pq.read_schema(file).names for file in files]
    return json.loads(json.dumps(result.as_json())), *columns


def test_the_tables_of_the_json_name_every_field(answers) -> None:
    content, fills, equity = answers
    expected: dict[str, Iterable[str]] = {
        "json": content,
        "metrics": content["metrics"],
        "rolling_returns": content["metrics"]["rolling_returns"]["30d"],
        "timing": content["timing"],
        "fill_rules": content["fill_rules"],
        "agents": content["agents"][0],
        "data_quality": content["data_quality"],
        "fills": fills,
        "equity": equity,
    }
    for name, fields in expected.items():
        assert table(name) == [*fields], f"the guide's table {name!r} is not that of the result"


def test_the_table_of_a_portfolio_names_every_field() -> None:
    series = [synthetic_candles(symbol, "5m", candles=600, seed=1) for symbol in ("SIM/USDT", "ALT/USDT")]
    content = backtest_portfolio(series).as_json()
    assert table("portfolio") == [*content]
    assert table("by_symbol") == [*content["by_symbol"]["SIM/USDT"]]


def test_the_table_of_backtest_options_is_complete() -> None:
    names = [option_name(name, field) for name, field in BacktestRequest.model_fields.items()]
    assert sorted(table("options")) == sorted([*names, "--json"])


def test_the_tables_of_codes_are_complete() -> None:
    assert table("exit codes") == [str(int(code)) for code in ExitCode]
    assert table("fill reasons") == [reason.name.lower() for reason in FillReason]


# The diagram of a slot


SCENARIOS: tuple[dict[str, dict[str, object]], ...] = (
    {},
    {"grid": {"order_style": "limit"}, "fills": {"rule": "touch"}},
    {"limits": {"max_position": 0.03, "stop_loss": 0.02, "take_profit": 0.01}, "orders": {"retry_candles": 5}},
    {"limits": {"max_drawdown": 0.004, "flatten_on_halt": True, "cooldown_candles": 20}},
    {"market": {"spread": 0.004}, "orders": {"lifetime_candles": 5}},
    {"limits": {"stop_loss": 0.004, "early_stop": 1.0}, "market": {"min_notional": 200.0}},
)


def watched(book: Book, tape: Tape) -> Iterator[tuple[str, str, bool]]:
    """Trade a tape call by call, and yield every change of a slot's state, and whether a plan made it.

    A plan may take a slot two steps on, such as off an old grid and into an order on the new one.
    """
    states = _states(book)

    def changes(planned: bool) -> list[tuple[str, str, bool]]:
        before, states[:] = states[:], _states(book)
        return [(old, new, planned) for old, new in zip(before, states, strict=True) if old != new]

    for row in range(len(tape.timestamp)):
        book.out.intent_count = book.out.fill_count = book.out.grid_count = 0
        candle = Tape(*(column[row] for column in tape))
        begin_candle(book, candle.timestamp, candle.low, candle.high, candle.volume)
        yield from changes(planned=True)
        extremes = (candle.high, candle.low) if candle.close >= candle.open else (candle.low, candle.high)
        path = (candle.open, *extremes, candle.close)
        for point, (before, price) in enumerate(pairwise((candle.open, *path))):
            if point == 0 or price != before:
                on_price(book, price, point == 0)
                yield from changes(planned=False)
                match(book, before, price)
                yield from changes(planned=False)
        signal = (candle.action, candle.confidence, candle.trail, candle.regime, candle.volatility)
        see_signal(book, *signal, candle.swing_high, candle.swing_low, candle.swing)
        decide(book, candle.close)
        yield from changes(planned=True)


def _states(book: Book) -> list[str]:
    return [SlotState(state).name for state in book.core.slots["state"][: book.params.pairs].tolist()]


@pytest.mark.slow
def test_a_slot_takes_only_the_transitions_of_the_diagram() -> None:
    [diagram] = [block.text for block in blocks(ROOT / "docs" / "architecture.md") if "stateDiagram" in block.text]
    # mermaid would begin a new statement there
    assert ";" not in diagram
    drawn = set(EDGE.findall(diagram))
    assert {state for edge in drawn for state in edge} == set(SlotState.__members__)
    twice = {(one[0], other[1]) for one in drawn for other in drawn if one[1] == other[0]}
    seen: set[tuple[str, str]] = set()
    for seed, (sections, thin) in enumerate(product(SCENARIOS, (False, True))):
        book, _, _ = book_for(settings_with(**sections))
        tape = random_tape(seed, 1_000, thin=thin, volatility=0.003)
        for before, after, planned in watched(book, tape):
            step = (before, after)
            assert step in drawn or (planned and step in twice), f"{before} to {after} is not drawn"
            seen.add(step)
    assert drawn - seen == set(), "these are drawn and were never seen"


def write() -> None:
    """Bring every generated part up to date."""
    for page, name, text in generated():
        content = page.read_text(encoding="utf-8")
        start, end = f"<!-- {name}: generated -->\n", f"<!-- /{name} -->"
        head, _, rest = content.partition(start)
        page.write_text(f"{head}{start}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.test_docs --write")
    write()
