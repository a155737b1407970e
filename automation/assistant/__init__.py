"""Plain English: a sentence becomes commands with their arguments, a question, or a refusal."""

from trading.lazy import on_first_use

__all__ = ["Context", "Plan", "Question", "Refusal", "Routed", "Router", "Step", "open_router"]

__getattr__ = on_first_use(
    __name__,
    {
        "Context": "answers",
        "Plan": "answers",
        "Question": "answers",
        "Refusal": "answers",
        "Routed": "answers",
        "Router": "router",
        "Step": "answers",
        "open_router": "opening",
    },
)
