"""A real HTTP server on loopback that speaks Ollama's protocol, with a tiny deterministic writer and faults on demand.

Like the original it gives a model a small context unless ``num_ctx`` says otherwise, and cuts what does not fit.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

DEFAULT_CONTEXT = 4096
_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")

Json = dict[str, object]


@dataclass(frozen=True)
class Call:
    """One request that the server got."""

    path: str
    body: Json


@dataclass
class Script:
    """How one answer deviates from what the writer would say."""

    text: str | None = None
    thinking: str | None = None
    status: int = 200
    error: str | None = None
    error_in_stream: str | None = None
    cut_after: int | None = None
    silent_end: bool = False
    garbage: bool = False
    hold: threading.Event | None = None
    prompt_tokens: int | None = None


@dataclass
class OllamaState:
    """What the server has and has heard."""

    models: dict[str, Json] = field(default_factory=dict)
    scripts: list[Script] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    rejects_think: bool = False
    pullable: tuple[str, ...] = ()

    def add(self, name: str, *, context: int = 8192, capabilities: tuple[str, ...] = ("completion",)) -> None:
        self.models[name] = {"size": 1234, "context": context, "capabilities": list(capabilities)}

    def bodies(self, path: str) -> list[Json]:
        return [call.body for call in self.calls if call.path == path]


def tokens_of(text: str) -> list[str]:
    return _TOKEN.findall(text)


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        # A client that hangs up is what some tests are about.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class OllamaServer:
    """The server as a context manager; ``url`` is where it listens."""

    def __init__(self) -> None:
        self.state = OllamaState()
        state = self.state

        class Handler(_Handler):
            server_state = state

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for script in self.state.scripts:
            if script.hold is not None:
                script.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_state: OllamaState
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return None

    def do_GET(self) -> None:
        if self.path == "/api/tags":
            models = [
                {"model": name, "name": name, "size": one["size"]} for name, one in self.server_state.models.items()
            ]
            self._json({"models": models})
        else:
            self._json({"error": "not found"}, 404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        state = self.server_state
        state.calls.append(Call(self.path, body))
        name = str(body.get("model"))
        if self.path == "/api/pull":
            self._pull(name)
            return
        if name not in state.models:
            self._json({"error": f"model '{name}' not found"}, 404)
            return
        getattr(self, "_" + self.path.rpartition("/")[2])(name, body)

    def _show(self, name: str, _: Json) -> None:
        one = self.server_state.models[name]
        info = {"general.architecture": "test", "test.context_length": one["context"]}
        self._json({"model_info": info, "capabilities": one["capabilities"], "details": {}})

    def _embed(self, _: str, body: Json) -> None:
        texts = body["input"]
        assert isinstance(texts, list)
        if any(len(tokens_of(text)) > 256 for text in texts):
            self._json({"error": "the input length exceeds the context length"}, 400)
            return
        self._json({"model": "x", "embeddings": [[float(len(text)), float(text.count("a")), 1.0] for text in texts]})

    def _pull(self, name: str) -> None:
        if name not in self.server_state.pullable:
            self._stream([{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}])
            return
        self.server_state.add(name)
        steps = [{"status": "pulling x", "completed": done, "total": 100} for done in (50, 100)]
        self._stream([{"status": "pulling manifest"}, *steps, {"status": "success"}])

    def _chat(self, _: str, body: Json) -> None:
        messages = body["messages"]
        assert isinstance(messages, list)
        if self.server_state.rejects_think and "think" in body:
            self._json({"error": "invalid option: think is not supported by this server"}, 400)
            return
        prompt = "\n".join(str(message["content"]) for message in messages)
        self._answer(body, prompt, lambda text, thinking: {"message": _message(text, thinking)})

    def _generate(self, name: str, body: Json) -> None:
        capabilities = self.server_state.models[name]["capabilities"]
        assert isinstance(capabilities, list)
        if body.get("suffix") and "insert" not in capabilities:
            self._json({"error": f"registry.ollama.ai/library/{name} does not support insert"}, 400)
            return
        prompt = f"{body['prompt']}\n{body.get('suffix') or ''}"
        self._answer(body, prompt, lambda text, _: {"response": text})

    def _answer(self, body: Json, prompt: str, shape: object) -> None:
        state = self.server_state
        script = state.scripts.pop(0) if state.scripts else Script()
        if script.error is not None:
            self._json({"error": script.error}, script.status)
            return
        if script.hold is not None:
            script.hold.wait()
        options = body.get("options")
        assert isinstance(options, dict)
        context = int(options.get("num_ctx", DEFAULT_CONTEXT))
        read = min(len(tokens_of(prompt)), context) if script.prompt_tokens is None else script.prompt_tokens
        text = _written(body, options) if script.text is None else script.text
        pieces, reason = _limited(tokens_of(text), options)
        lines: list[Json] = []
        if script.thinking:
            lines.append(shape("", script.thinking) | {"done": False})  # type: ignore[operator]
        lines += [shape(piece, None) | {"done": False} for piece in pieces]  # type: ignore[operator]
        if script.cut_after is not None:
            self._stream(lines[: script.cut_after], abrupt=True)
            return
        if script.error_in_stream is not None:
            lines.append({"error": script.error_in_stream})
        elif not script.silent_end:
            end = {"done": True, "done_reason": reason, "prompt_eval_count": read, "eval_count": len(pieces)}
            lines.append(shape("", None) | end)  # type: ignore[operator]
        self._stream(lines, garbage=script.garbage)

    def _json(self, value: Json, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, lines: list[Json], *, abrupt: bool = False, garbage: bool = False) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for content in _chunks(lines, garbage):
                self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
                self.wfile.flush()
            if abrupt:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def _chunks(lines: list[Json], garbage: bool) -> Iterator[bytes]:
    for line in lines:
        yield (json.dumps({"model": "x", **line}) + "\n").encode()
    if garbage:
        yield b"<html>bad gateway</html>\n"


def _message(text: str, thinking: str | None) -> Json:
    message: Json = {"role": "assistant", "content": text}
    return message if thinking is None else message | {"thinking": thinking}


def _written(body: Json, options: Mapping[str, object]) -> str:
    if isinstance(body.get("format"), dict):
        return json.dumps(_instance(body["format"]))  # type: ignore[arg-type]
    if "prompt" in body:
        return f"fill_{options.get('seed')}"
    return f"Answer {options.get('seed')}: one two three four, five six seven eight nine ten."


def _instance(schema: Mapping[str, object]) -> object:
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list):
        return schema["enum"][0]  # type: ignore[index]
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        assert isinstance(properties, dict)
        return {name: _instance(inner) for name, inner in properties.items()}
    if kind == "array":
        return [_instance(schema["items"])] * int(schema.get("minItems", 1))  # type: ignore[arg-type,call-overload]
    return {"string": "text", "integer": 3, "number": 1.5, "boolean": True}.get(str(kind))


def _limited(pieces: list[str], options: Mapping[str, object]) -> tuple[list[str], str]:
    stops = options.get("stop") or []
    assert isinstance(stops, list)
    text = "".join(pieces)
    ends = [text.find(stop) for stop in stops if stop in text]
    kept = tokens_of(text[: min(ends)]) if ends else pieces
    most = int(options.get("num_predict", 128))  # type: ignore[call-overload]
    return (kept[:most], "length") if len(kept) > most else (kept, "stop")
