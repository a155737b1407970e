"""Tools for the SDK's server whose input is described by a schema and handed on as it came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations

from automation.codebase.masking import masked
from automation.interfaces.mcp.running import safe
from automation.interfaces.terminal import error_data

Answer = CallToolResult | InputRequiredResult
Handler = Callable[[Mapping[str, object], Context], Awaitable[Answer]]


class HandedOn(Tool):
    """A tool that hands its arguments on as they came; whoever answers validates them.

    The SDK makes a tool's schema from a Python signature, ours come from the registry's request models.
    """

    # the SDK's own type parameters of the context belong to no class that could be named here
    async def run(  # type: ignore[override]
        self, arguments: dict[str, object], context: Context, convert_result: bool = False
    ) -> Answer:
        """Answer one call; whatever goes wrong is told in one sentence, and never as a traceback."""
        try:
            answer: Answer = await self.fn(arguments, context)
        except Exception as error:  # noqa: BLE001 - the outermost frame: whatever is left is told to whoever asked
            return failed(error)
        return answer


def make_tool(
    name: str,
    description: str,
    schema: Mapping[str, object],
    output: Mapping[str, object],
    annotations: ToolAnnotations,
    handler: Handler,
) -> Tool:
    """Return a tool of the SDK's server."""
    return HandedOn(
        fn=handler,
        name=name,
        title=annotations.title,
        description=description,
        parameters=dict(schema),
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=dict(output)),
        is_async=True,
        annotations=annotations,
    )


def told(text: str, data: Mapping[str, object], *, is_error: bool = False) -> CallToolResult:
    """Return an answer as text for a person and as data for a program, without secrets."""
    content = safe(dict(data))
    return CallToolResult(
        content=[TextContent(type="text", text=masked(text))],
        structured_content=content if isinstance(content, dict) else {},
        is_error=is_error,
    )


def refused(sentence: str) -> CallToolResult:
    """Return a refusal: one sentence that says what, where and what to do."""
    return CallToolResult(content=[TextContent(type="text", text=masked(sentence))], is_error=True)


def failed(error: Exception) -> CallToolResult:
    """Return what an error says in one sentence."""
    return refused(str(error_data(error)["message"]))
