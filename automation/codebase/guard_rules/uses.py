"""Rules about what the added code reaches for: the machine, the tests around it, other modules' insides."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator

from automation.codebase.guard_rules.views import Trait, Version

_BUILTIN_DANGER = frozenset({"eval", "exec", "compile", "__import__", "breakpoint", "__builtins__"})
_MODULE_DANGER = (
    "subprocess",
    "socket",
    "ctypes",
    "multiprocessing",
    "pty",
    "builtins",
    "importlib.import_module",
    "importlib.util",
    "importlib.machinery",
    "runpy",
    "code",
    "codeop",
    "http.client",
    "urllib.request",
    "urllib3",
    "requests",
    "httpx",
    "aiohttp",
    "ftplib",
    "smtplib",
    "telnetlib",
    "pickle.loads",
    "pickle.load",
    "pickle.Unpickler",
    "marshal.loads",
    "marshal.load",
    "shelve.open",
    "dill",
    "cloudpickle",
    "gc.get_objects",
    "gc.get_referrers",
    "atexit",
    "signal",
    "shutil.rmtree",
    *(f"os.{name}" for name in ("system", "popen", "fork", "forkpty", "kill", "killpg", "_exit", "abort", "startfile")),
    *(
        f"os.{family}{ending}"
        for family in ("exec", "spawn")
        for ending in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
    ),
    "os.posix_spawn",
    "os.posix_spawnp",
)
_AWARENESS = (
    "sys.modules",
    "sys._getframe",
    "sys._current_frames",
    "sys.argv",
    "sys.orig_argv",
    "sys.gettrace",
    "sys.settrace",
    "sys.getprofile",
    "sys.setprofile",
    "sys.monitoring",
    "inspect.stack",
    "inspect.currentframe",
    "inspect.trace",
    "inspect.getouterframes",
    "inspect.getinnerframes",
    "inspect.getframeinfo",
    "traceback.extract_stack",
    "traceback.format_stack",
    "traceback.walk_stack",
    "traceback.print_stack",
    "os.environ",
    "os.environb",
    "os.getenv",
    "os.putenv",
    "os.getppid",
    "psutil",
    "pytest",
    "_pytest",
    "unittest",
    "conftest",
    "hypothesis",
    "__file__",
    "__debug__",
)
_AWARE_WORDS = re.compile(r"PYTEST_|^_?pytest$|^unittest$|^conftest(\.py)?$")
_FRAME_ATTRIBUTES = frozenset({"f_back", "f_globals", "f_locals", "f_code", "tb_frame", "gi_frame", "cr_frame"})
_INSIDES = frozenset(
    {"__subclasses__", "__globals__", "__builtins__", "__code__", "__closure__", "__bases__", "__mro__"}
)
_SLEEPS = ("time.sleep", "asyncio.sleep", "trio.sleep", "anyio.sleep", "gevent.sleep", "threading.Event.wait")
_PATCHED = frozenset({"builtins", "__builtins__", "pytest", "_pytest", "unittest", *sys.stdlib_module_names})
_SKIPS = frozenset({"skip", "skipif", "xfail", "skipIf", "skipUnless", "exit"})
_SKIPS_ANYWHERE = frozenset({"importorskip", "skipTest", "SkipTest", "expectedFailure"})
_TEST_SWITCHES = frozenset({"__test__", "pytestmark", "collect_ignore", "collect_ignore_glob", "pytest_plugins"})
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
_SILENCERS = re.compile(
    r"type:\s*ignore|noqa|no\s*cover|no\s*branch|nosec|pylint:\s*disable|pyright:\s*ignore|pyre-(?:ignore|fixme)"
    r"|mypy:\s*\S+|flake8:|ruff:|fmt:\s*(?:off|skip)",
    re.IGNORECASE,
)


def dangerous_uses(version: Version) -> Iterator[Trait]:
    """Yield each use of what starts programs, reaches the network or runs text as code."""
    for line, name in _names(version):
        root = name.partition(".")[0]
        known = root if root in _BUILTIN_DANGER else _known(name, _MODULE_DANGER)
        if name.endswith(".*") and root in _PATCHED:
            known = name  # hides which names come from there
        if known:
            yield Trait("dangerous-call", known, line, f"uses {known}, which a repair may not add")
    for node in version.nodes:
        if isinstance(node, ast.Attribute) and node.attr in _INSIDES:
            message = f"reaches into an object's insides by {node.attr}, which a repair may not add"
            yield Trait("dangerous-call", node.attr, node.lineno, message)
        elif isinstance(node, ast.Call) and version.dotted(node.func) == "getattr" and node.args:
            owner = version.dotted(node.args[0])
            if owner and owner.partition(".")[0] in _PATCHED:
                message = f"reaches into module {owner} by getattr, which a repair may not add"
                yield Trait("dangerous-call", f"getattr {owner}", node.lineno, message)


def test_awareness(version: Version) -> Iterator[Trait]:
    """Yield each way in which code can tell that it is being tested."""
    for line, name in _names(version):
        if known := _known(name, _AWARENESS):
            yield Trait("test-awareness", known, line, f"looks at {known}, by which code can tell that it is tested")
    for node in version.nodes:
        if isinstance(node, ast.Attribute) and node.attr in _FRAME_ATTRIBUTES:
            yield Trait("test-awareness", node.attr, node.lineno, f"walks frames by .{node.attr}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _AWARE_WORDS.search(node.value):
            yield Trait("test-awareness", node.value, node.lineno, f"names {node.value[:40]!r}, which belongs to tests")


def sleeps(version: Version) -> Iterator[Trait]:
    """Yield each pause."""
    for node in version.nodes:
        if isinstance(node, ast.Call):
            name = version.dotted(node.func)
            method = isinstance(node.func, ast.Attribute) and node.func.attr == "sleep"
            if method or name in _SLEEPS or (name == "sleep" and name not in version.own_definitions):
                yield Trait("sleep", "sleep", node.lineno, "waits for a fixed time; wait for a condition instead")


def skips(version: Version) -> Iterator[Trait]:
    """Yield each way to leave a test out."""
    for node in version.nodes:
        name = version.dotted(node)
        last = name.rpartition(".")[2]
        if last in _SKIPS_ANYWHERE or (last in _SKIPS and name.startswith(("pytest.", "unittest."))):
            yield Trait("skip-test", last, getattr(node, "lineno", 1), f"adds {name}, which leaves tests out")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in _TEST_SWITCHES:
            yield Trait("skip-test", node.id, node.lineno, f"sets {node.id}, which decides which tests run")


def monkeypatches(version: Version) -> Iterator[Trait]:
    """Yield each change of another module's insides, of builtins, or of names by way of a mapping."""
    for node in version.nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = version.dotted(node.value)
            if owner.partition(".")[0] in _PATCHED and owner not in {"os.environ", "sys.path"}:
                yield Trait("monkeypatch", owner, node.lineno, f"changes {owner} for everyone")
        elif isinstance(node, ast.Call):
            yield from _changes_by_call(version, node)
    yield from _shadowed_builtins(version)


def silencers(version: Version) -> Iterator[Trait]:
    """Yield each comment that silences a checker."""
    if not version.path.endswith((".py", ".pyi")):
        return
    for line, comment in version.comments():
        for found in _SILENCERS.findall(comment):
            word = re.sub(r"\s+", "", found.lower())
            yield Trait("silencing-comment", word, line, f"adds the comment {found!r}, which silences a checker")


def _changes_by_call(version: Version, call: ast.Call) -> Iterator[Trait]:
    name = version.dotted(call.func)
    if name in {"globals", "locals", "vars"} and (name != "vars" or not call.args):
        yield Trait("module-state", name, call.lineno, f"reaches names through {name}()")
    elif name in {"setattr", "delattr", "vars"} and call.args:
        owner = version.dotted(call.args[0])
        if owner in version.imported.values() or "sys.modules" in ast.dump(call.args[0]):
            yield Trait("module-state", f"{name} {owner}", call.lineno, f"changes {owner or 'a module'} by {name}")


def _shadowed_builtins(version: Version) -> Iterator[Trait]:
    if version.tree is None:
        return
    for node in version.tree.body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        for name in names:
            if name in _BUILTINS:
                yield Trait("monkeypatch", f"builtin {name}", node.lineno, f"hides the builtin {name} in this module")


def _names(version: Version) -> Iterator[tuple[int, str]]:
    for node in version.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, item.name) for item in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{item.name}") for item in node.names)
        elif isinstance(node, ast.Name | ast.Attribute) and not isinstance(node.ctx, ast.Store):
            # Of a chain, only its longest form counts, or os.environ.get would be three uses.
            name = "" if isinstance(version.parents.get(node), ast.Attribute) else version.dotted(node)
            if name:
                yield node.lineno, name


def _known(name: str, wanted: tuple[str, ...]) -> str | None:
    # What is known of a name, so that os.environ["A"] and os.environ.get("A") are one use of the same thing.
    return next((known for known in wanted if name == known or name.startswith(f"{known}.")), None)
