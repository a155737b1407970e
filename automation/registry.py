"""The whole registry: the commands of both wings and of the faces."""

from __future__ import annotations

from automation.config_entries import AUTOMATION_CONFIG_COMMANDS
from automation.face_entries import FACE_COMMANDS
from automation.improvement.registered import IMPROVEMENT_COMMANDS
from automation.incidents.registered import INCIDENT_COMMANDS
from automation.models.registered import MODEL_COMMANDS
from automation.pipeline.registered import PIPELINE_COMMANDS
from automation.tasks.registered import TASK_COMMANDS
from trading.commands import Registry
from trading.registered import TRADING_COMMANDS


def gridbot_registry() -> Registry:
    """Return the registry of every command, as plain data: nothing of the commands themselves is imported."""
    return Registry(
        (
            *FACE_COMMANDS,
            *TRADING_COMMANDS,
            *TASK_COMMANDS,
            *PIPELINE_COMMANDS,
            *INCIDENT_COMMANDS,
            *MODEL_COMMANDS,
            *IMPROVEMENT_COMMANDS,
            *AUTOMATION_CONFIG_COMMANDS,
        )
    )
