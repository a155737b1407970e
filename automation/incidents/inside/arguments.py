"""pytest's arguments for a structured run: the user's own, without what would distribute, reorder, colour or stop it."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import sys
import tempfile
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

# entry point of a plugin -> arguments that neutralise it where it is installed
_NEUTRAL = {
    "xdist": ("-n0",),
    "pytest_cov": ("--no-cov",),
    "randomly": ("-p", "no:randomly"),
    "random_order": ("-p", "no:random_order"),
    "rerunfailures": ("--reruns=0",),
    "sugar": ("-p", "no:sugar"),
    "benchmark": ("--benchmark-disable",),
    "html": ("-p", "no:html"),
}
# entry point -> options (values they take) and ini keys that a target's configuration may name where it is missing
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
    "benchmark": ({"--benchmark-disable": None, "--benchmark-skip": None, "--benchmark-only": None}, ()),
}
_MARKERS = {"timeout": "timeout(seconds): limit of one test", "rerunfailures": "flaky: a test that may be run again"}
_DROPPED = {"--pdb", "--trace", "--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw"}
_DROPPED |= {"--stepwise", "--stepwise-skip", "--cache-clear", "--collect-only", "--co", "--version", "-h", "--help"}
_CACHE_PLUGINS = ("lfplugin", "lfplugin-collwrapper", "nfplugin", "stepwiseplugin")
_HYPOTHESIS = "hypothesis"


class Plugins:
    """The entry-point plugins of the interpreter that runs the target; found once, kept by a preloaded process."""

    def __init__(self) -> None:
        found = importlib.metadata.entry_points(group="pytest11")
        self.points = tuple({point.name: point for point in found}.values())
        self.names = frozenset(point.name for point in self.points)


def pytest_arguments(user: Sequence[str], root: str, installed: frozenset[str], stop_after: int) -> list[str]:
    """Return the arguments of one run.

    Parameters
    ----------
    user : sequence of str
        What the user passes to pytest.
    root : str
        Folder that node ids are relative to.
    installed : frozenset of str
        Names of the entry-point plugins that there are.
    stop_after : int
        Failures after which the run stops; 0 for none.
    """
    words = [word for word in user if word not in _DROPPED]
    for name, neutral in _NEUTRAL.items():
        if name in installed:
            words += neutral
    cache = Path(tempfile.gettempdir()) / f"pytest-cache-{os.getpid()}"
    return [
        *words,
        f"--rootdir={root}",
        "--tb=no",
        "--color=no",
        "-p",
        "no:faulthandler",
        "-p",
        "no:pastebin",
        "-o",
        f"cache_dir={cache}",
        "--continue-on-collection-errors",
        f"--maxfail={stop_after}",
    ]


def add_standins(parser: pytest.Parser, installed: frozenset[str]) -> None:
    """Let a target's configuration name options of plugins that this interpreter does not have."""
    for name, (options, keys) in _STANDINS.items():
        if name in installed:
            continue
        group = parser.getgroup(f"{name} (not installed)")
        for option, takes in options.items():
            # pytest keeps short lower-case options for itself but for this door, which its plugins use too
            add = cast("Callable[..., None]", group._addoption)
            settings = {"action": "store_true"} if takes is None else {"action": "append", "default": []}
            if takes == "?":
                settings |= {"nargs": "?", "const": ""}
            add(option, dest=f"standin_{name}_{option.strip('-').replace('-', '_')}", **settings)
        for key in keys:
            parser.addini(key, f"of {name}, which is not installed")


def add_standin_markers(config: pytest.Config, installed: frozenset[str]) -> None:
    """Register the markers of plugins that are missing, so that strict markers do not refuse them."""
    for name, line in _MARKERS.items():
        if name not in installed:
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
            writer._file = _Nowhere()
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
