"""Language models behind one protocol: Ollama or embedded llama.cpp."""
