"""The error hierarchy of the automation wing: one sentence each, with an exit code."""

from __future__ import annotations

from trading.errors import ExitCode, GridBotError


class AutomationError(GridBotError):
    """Anything the maintenance pipeline refuses or fails to do."""


class RepositoryUnusable(AutomationError):
    """The target is no folder, no repository that can be read, or holds no Python."""

    exit_code = ExitCode.REFUSED


class TargetUnknown(AutomationError):
    """What a task is asked about is not in the repository, or means several things there."""

    exit_code = ExitCode.USAGE


class StaleSource(AutomationError):
    """A file no longer holds what an edit or a patch was made for."""

    exit_code = ExitCode.REFUSED


class EditRefused(AutomationError):
    """An edit that cannot be made safely: the symbol is missing, ambiguous, or the result would not parse."""

    exit_code = ExitCode.REFUSED


class WorkspaceFailed(AutomationError):
    """A private clone or worktree could not be made, read or landed from."""


class SandboxUnavailable(AutomationError):
    """The kernel does not allow the isolation that was asked for."""

    exit_code = ExitCode.REFUSED


class ConfigInvalid(AutomationError):
    """``automation_config.json`` holds an unknown key or a value out of range."""

    exit_code = ExitCode.USAGE


class ModelUnavailable(AutomationError):
    """No backend answers, or none has the model."""


class ModelFailed(AutomationError):
    """A backend answered with an error, too late, or with nothing."""


class AnswerCut(ModelFailed):
    """The answer reached its token limit before its end, so that it cannot be used."""


class PromptTooLong(ModelFailed):
    """The prompt does not fit the model's context, so that part of it would be lost in silence."""


class BudgetSpent(AutomationError):
    """The token or time budget of this run or this day is used up."""


class RunNotFound(AutomationError):
    """No run of that id is recorded."""

    exit_code = ExitCode.USAGE
