"""pytest's arguments and plugins for a structured run, without what would distribute, reorder, repeat or stop it."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

# plugins that distribute, reorder, repeat, time or print, and some that cost seconds to import
_LEFT_OUT = {
    "xdist",
    "xdist.looponfail",
    "pytest_cov",
    "randomly",
    "random_order",
    "rerunfailures",
    "sugar",
    "html",
    "html_report",
    "json_report",
    "metadata",
    "instafail",
    "pretty",
    "timeout",
    "langsmith_plugin",
}
_AUTOLOAD_OFF = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
# entry point -> options (values they take) and ini keys that a target's configuration may name while it is left out
_STANDINS: dict[str, tuple[dict[str, str | None], tuple[str, ...]]] = {
    "xdist": ({"-n": "1", "--numprocesses": "1", "--dist": "1", "--maxprocesses": "1"}, ()),
    "pytest_cov": (
        {
            "--cov": "?",
            "--cov-report": "1",
            "--cov-config": "1",
            "--cov-fail-under": "1",
            "--cov-append": None,
            "--cov-branch": None,
            "--cov-context": "1",
            "--cov-reset": None,
            "--no-cov": None,
            "--no-cov-on-fail": None,
        },
        (),
    ),
    "timeout": (
        {"--timeout": "1", "--timeout-method": "1", "--session-timeout": "1"},
        ("timeout", "timeout_method", "timeout_func_only"),
    ),
    "rerunfailures": ({"--reruns": "1", "--reruns-delay": "1"}, ("reruns", "reruns_delay")),
    "randomly": ({"--randomly-seed": "1", "--randomly-dont-reorganize": None}, ()),
    "random_order": ({"--random-order": None, "--random-order-bucket": "1", "--random-order-seed": "1"}, ()),
    "html": ({"--html": "1", "--self-contained-html": None, "--css": "1"}, ()),
    "sugar": ({"--force-sugar": None}, ()),
}
_MARKERS = (
    "timeout(seconds): limit of one test",
    "flaky: a test that may be run again",
    "no_cover: leave out of coverage",
    "xdist_group(name): tests for one worker",
)
_DROPPED = {"--pdb", "--trace", "--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw"}
_DROPPED |= {"--stepwise", "--stepwise-skip", "--cache-clear", "--collect-only", "--co", "--version", "-h", "--help"}
_CACHE_PLUGINS = ("lfplugin", "lfplugin-collwrapper", "nfplugin", "stepwiseplugin")
_HYPOTHESIS = "hypothesis"


class Plugins:
    """The entry-point plugins of the interpreter that runs the target.

    Parameters
    ----------
    known : mapping of str to str
        Names to modules, as the caller learned from the interpreter: a search takes longer than a small test.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self.modules: dict[str, object] = {}
        self.broken: dict[str, str] = {}
        if os.environ.get(_AUTOLOAD_OFF):
            return
        for name, module in known.items():
            if name in _LEFT_OUT:
                continue
            try:
                self.modules[name] = importlib.import_module(module)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises, the suite may do without it
                self.broken[name] = f"{type(error).__name__}: {error}"

    def register(self, parser: pytest.Parser, manager: pytest.PytestPluginManager) -> None:
        """Register the plugins, and the options of those that are left out so that configurations may name them."""
        for name, module in self.modules.items():
            if not manager.is_blocked(name) and manager.get_plugin(name) is None and not manager.is_registered(module):
                manager.register(module, name)
        for name, (options, keys) in _STANDINS.items():
            group = parser.getgroup(f"{name} (left out)")
            for option, takes in options.items():
                _add_standin(group, name, option, takes)
            for key in keys:
                parser.addini(key, f"of {name}, which is left out")


def _add_standin(group: object, plugin: str, option: str, takes: str | None) -> None:
    # pytest keeps short lower-case options for itself but for this door, which its plugins use too
    add = cast("Callable[..., None]", group._addoption)  # type: ignore[attr-defined]  # noqa: SLF001
    settings: dict[str, object] = {"action": "store_true"}
    if takes is not None:
        settings = {"action": "append", "default": []}
    if takes == "?":
        settings |= {"nargs": "?", "const": ""}
    add(option, dest=f"left_out_{plugin}_{option.strip('-').replace('-', '_')}", **settings)


@contextmanager
def without_autoload() -> Iterator[None]:
    """Keep pytest from searching every installed distribution for plugins."""
    before = os.environ.get(_AUTOLOAD_OFF)
    os.environ[_AUTOLOAD_OFF] = "1"
    try:
        yield
    finally:
        restore_autoload(before)


def restore_autoload(before: str | None = None) -> None:
    """Give a pytest that the target starts itself its plugins back."""
    if before is None:
        os.environ.pop(_AUTOLOAD_OFF, None)
    else:
        os.environ[_AUTOLOAD_OFF] = before


def pytest_arguments(user: Sequence[str], root: str, stop_after: int) -> list[str]:
    """Return the arguments of one run.

    Parameters
    ----------
    user : sequence of str
        What the user passes to pytest.
    root : str
        Folder that node ids are relative to.
    stop_after : int
        Failures after which the run stops; 0 for none.
    """
    cache = Path(tempfile.gettempdir()) / f"pytest-cache-{os.getpid()}"
    return [
        *(word for word in user if word not in _DROPPED),
        f"--rootdir={root}",
        *_own_configuration(user, Path(root).absolute()),
        "--tb=no",
        "--color=no",
        "-p",
        "no:faulthandler",
        "-o",
        f"cache_dir={cache}",
        "--continue-on-collection-errors",
        f"--maxfail={stop_after}",
    ]


def _own_configuration(user: Sequence[str], root: Path) -> list[str]:
    """Keep pytest from taking the configuration of a repository that the private copy happens to lie in."""
    if any(word in ("-c", "--config-file") or word.startswith(("-c=", "--config-file=")) for word in user):
        return []
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    own = [root, *(folder for folder in root.parents if folder == top or top in folder.parents)]
    if any(_configures_pytest(folder) for folder in own) or not any(map(_configures_pytest, top.parents)):
        return []
    empty = Path(tempfile.mkdtemp()) / "pytest.ini"
    empty.write_text("[pytest]\n", encoding="utf-8")
    return ["-c", str(empty), f"--confcutdir={root}"]


def _configures_pytest(folder: Path) -> bool:
    sections = {"pyproject.toml": "[tool.pytest", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"}
    if any((folder / name).is_file() for name in ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")):
        return True
    return any(_holds(folder / name, section) for name, section in sections.items())


def _holds(file: Path, text: str) -> bool:
    try:
        return text in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def add_standin_markers(config: pytest.Config) -> None:
    """Register the markers of plugins that are left out, so that strict markers do not refuse them."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)


class _Silent:
    """The terminal reporter with its writer but without its hooks."""

    def __init__(self, reporter: object) -> None:
        self._reporter = reporter

    def __getattr__(self, name: str) -> object:
        if name.startswith("pytest_"):
            raise AttributeError(name)
        return getattr(self._reporter, name)


class _Nowhere:
    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return

    def isatty(self) -> bool:
        return False


def silence(config: pytest.Config) -> None:
    """Stop pytest from printing and from writing its cache."""
    plugins = config.pluginmanager
    reporter = plugins.get_plugin("terminalreporter")
    if reporter is not None:
        writer = getattr(reporter, "_tw", None)
        if writer is not None:
            writer._file = _Nowhere()  # noqa: SLF001 - pytest has no other way to be silent
        plugins.unregister(reporter)
        plugins.register(_Silent(reporter), "terminalreporter")
    for name in _CACHE_PLUGINS:
        plugin = plugins.get_plugin(name)
        if plugin is not None:
            plugins.unregister(plugin)


def settle_hypothesis(shrink: bool) -> None:
    """Make hypothesis repeat itself, as soon as the target imports it: no random seed, no database, no deadline."""
    if _HYPOTHESIS in sys.modules:
        _load_profile(sys.modules[_HYPOTHESIS], shrink)
    else:
        sys.meta_path.insert(0, _AfterImport(lambda module: _load_profile(module, shrink)))


def _load_profile(module: types.ModuleType, shrink: bool) -> None:
    if not hasattr(module, "settings"):
        return
    phases = [module.Phase.explicit, module.Phase.generate]
    if shrink:
        phases.append(module.Phase.shrink)
    checks = list(module.HealthCheck)
    profile = {"derandomize": True, "database": None, "deadline": None, "print_blob": False}
    module.settings.register_profile("gridbot", phases=phases, suppress_health_check=checks, **profile)
    module.settings.load_profile("gridbot")


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function with hypothesis once it is imported, and steps aside."""

    def __init__(self, then: Callable[[types.ModuleType], None]) -> None:
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _HYPOTHESIS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self._then)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, then: Callable[[types.ModuleType], None]) -> None:
        super().__init__(fullname, path)
        self._then = then

    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)
        self._then(module)
