"""Asking the person at the client before a command runs."""

from __future__ import annotations

from typing import Literal

from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import build_resolver_plans, resolve_arguments
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.types import MISSING_REQUIRED_CLIENT_CAPABILITY, InputRequiredResult
from pydantic import BaseModel, Field

Answer = Literal["yes", "no", "nobody to ask"]


class Confirmation(BaseModel):
    """What the person answers."""

    run: bool = Field(description="Run it")


async def confirmed(question: str, context: Context) -> Answer | InputRequiredResult:
    """Ask the person at the client whether something may run.

    Parameters
    ----------
    question : str
        What will run, word for word; an answer counts for this text only.
    context : Context
        Of the request. Newer clients are asked through the request's own result and call again with the answer, older
        ones by a request to them; the SDK knows which.

    Returns
    -------
    str or InputRequiredResult
        The answer; or what the request has to return, so that the client asks and calls again.
    """

    def ask() -> Elicit[Confirmation]:
        return Elicit(question, Confirmation)

    wanted = {"answer": (Resolve(ask), True)}
    try:
        found = await resolve_arguments(wanted, build_resolver_plans(wanted, set()), {}, context)
    except NoBackChannelError:
        return "nobody to ask"
    except MCPError as error:
        if error.error.code != MISSING_REQUIRED_CLIENT_CAPABILITY:
            raise
        return "nobody to ask"
    except ToolError:
        # an answer that is none is no yes
        return "no"
    if isinstance(found, InputRequiredResult):
        return found
    answer = found["answer"]
    return "yes" if isinstance(answer, AcceptedElicitation) and answer.data.run else "no"
