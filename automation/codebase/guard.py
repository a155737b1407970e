"""The patch guard: what no proposed change may do, whoever proposed it and whatever tests it passes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from automation.codebase.guard_rules import inputs, shape, size, uses
from automation.codebase.guard_rules.paths import GuardPolicy
from automation.codebase.guard_rules.views import Finding, Trait, Version, View
from automation.codebase.patches import Patch

__all__ = ["Finding", "GuardPolicy", "check_patch"]

_EVERYWHERE: tuple[Callable[[Version], Iterator[Trait]], ...] = (
    uses.dangerous_uses,
    uses.skips,
    uses.sleeps,
    uses.silencers,
    shape.broad_handlers,
)
_OUTSIDE_TESTS: tuple[Callable[[Version], Iterator[Trait]], ...] = (
    uses.test_awareness,
    uses.monkeypatches,
    shape.constant_equality,
)


def check_patch(
    patch: Patch,
    *,
    allowed: Mapping[str, Collection[tuple[int, int]]] | None = None,
    test_inputs: Collection[str] = (),
    writes_tests: bool = False,
    policy: GuardPolicy | None = None,
) -> tuple[Finding, ...]:
    """Return what speaks against a patch; only what it adds or takes away counts, never what was there before.

    Parameters
    ----------
    patch : Patch
        What is proposed; it may be broken in any way.
    allowed : mapping of str to collection of (int, int), optional
        The suspicious scope: each file to its first and last lines, from 1, in the version before. None asks nothing
        about where the change is.
    test_inputs : collection of str
        Reprs of the literals in the failing tests.
    writes_tests : bool
        Whether the task is to write tests, which is the only one that may touch them.
    policy : GuardPolicy, optional
        What is protected and how large a patch may be.

    Returns
    -------
    tuple of Finding
        By file and line; empty when nothing speaks against it.
    """
    policy = policy or GuardPolicy()
    views = [View(change) for change in patch.changes]
    if not views:
        return ()
    found = [finding for view in views for finding in _check_file(view, test_inputs, writes_tests, policy)]
    found += size.oversized(views, policy)
    if allowed is not None:
        found += size.outside_scope(views, allowed, policy)
    return tuple(sorted(set(found), key=lambda finding: (finding.path, finding.line, finding.rule, finding.message)))


def _check_file(view: View, test_inputs: Collection[str], writes_tests: bool, policy: GuardPolicy) -> Iterator[Finding]:
    is_test = policy.is_test(view.path)
    if policy.is_protected(view.path) or (is_test and not writes_tests):
        kind = "a test or its data" if is_test else "configuration or a guard of GridBot"
        yield Finding("protected-file", view.path, 1, f"changes {view.path}, which is {kind}")
    if view.after.problem is not None:
        line, reason = view.after.problem
        yield Finding("parses", view.path, line, f"does not parse: {reason}")
    rules = _EVERYWHERE if is_test else (*_EVERYWHERE, *_OUTSIDE_TESTS)
    for rule in rules:
        for trait in view.added(rule):
            yield Finding(trait.rule, view.path, trait.line, trait.message)
    yield from shape.deleted_assertions(view)
    yield from shape.removed_names(view)
    if not is_test:
        yield from inputs.special_cases(view, test_inputs)
        yield from inputs.constant_functions(view)
