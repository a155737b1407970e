"""The configuration commands' entries in the registry: plain data, so that listing them imports nothing."""

from trading.commands import Command, Risk

AUTOMATION_CONFIG_COMMANDS = (
    Command(
        name="config automation",
        summary="Show every setting of the maintenance wing: its value, where it comes from and what it means.",
        run="automation.config_commands:show_automation_config",
        request="automation.config_requests:AutomationConfigRequest",
        risk=Risk.READ,
        examples=("config automation", "config automation --json"),
        phrases=(
            "show the automation configuration",
            "which model does the debugger use",
            "print the settings of the maintenance wing",
            "how is the repair pipeline configured",
            "what is the token budget",
        ),
    ),
    Command(
        name="config set",
        summary="Write one setting of the maintenance wing into its configuration file.",
        run="automation.config_commands:set_config",
        request="automation.config_requests:SetConfigRequest",
        risk=Risk.WRITE,
        examples=("config set repair.samples 4", "config set models.roles.debugger.model qwen2.5-coder:1.5b"),
        phrases=(
            "set the debugger's temperature",
            "change the token budget",
            "set repair.samples to 4",
            "raise the memory limit of the sandbox",
            "turn the nightly benchmarks off",
        ),
        # it may say who approves and what hems in the tests of a change
        by_person=True,
    ),
    Command(
        name="config explain",
        summary="Explain one setting of either wing: meaning, type, default, bounds and where its value comes from.",
        run="automation.config_commands:explain_config",
        request="automation.config_requests:ExplainConfigRequest",
        risk=Risk.READ,
        examples=("config explain grid.spacing", "config explain approval.always_ask"),
        phrases=(
            "what does this setting mean",
            "explain the trailing setting",
            "what is grid.spacing for",
            "what are the bounds of limits.max_drawdown",
            "meaning of the stop loss setting",
        ),
    ),
)
