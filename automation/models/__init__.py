"""Language models behind one protocol: Ollama or embedded llama.cpp."""

from trading.lazy import on_first_use

__all__ = ["Answer", "BoundModel", "Generation", "Message", "Model", "open_model"]

__getattr__ = on_first_use(
    __name__,
    {
        "Answer": "protocol",
        "BoundModel": "bound",
        "Generation": "protocol",
        "Message": "protocol",
        "Model": "protocol",
        "open_model": "selection",
    },
)
