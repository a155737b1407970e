"""The faces' own commands as plain data for the registry: what starts a console, a server, an editor or a question."""

from trading.commands import Command, Risk

FACE_COMMANDS = (
    Command(
        name="ask",
        summary="Say in plain English what you want; the command that does it is shown, and run.",
        run="automation.assistant.commands:ask",
        request="automation.assistant.requests:AskRequest",
        risk=Risk.READ,
        examples=(
            'ask "how are my sessions"',
            'ask "debug the websocket connection" --dry-run',
            'ask "run the tests, fix what fails, then document it"',
        ),
        phrases=(
            "what can you do",
            "help",
            "which commands are there",
            "what can I say to you",
            "show me what is possible",
        ),
    ),
    Command(
        name="console",
        summary="Open the console: sessions, trading, maintenance, improvement, logs, settings, and a prompt.",
        run="automation.interfaces.console.commands:console",
        request="automation.interfaces.console.requests:ConsoleRequest",
        risk=Risk.READ,
        examples=("console", "console --screen trading --theme light"),
        phrases=(
            "open the console",
            "start the terminal dashboard",
            "show me the trading screen",
            "launch the text interface",
            "bring up the console with the light theme",
        ),
        by_person=True,
    ),
    Command(
        name="mcp",
        summary="Serve the commands, symbol tools and reports over the Model Context Protocol.",
        run="automation.interfaces.mcp.commands:mcp",
        request="automation.interfaces.mcp.requests:McpRequest",
        risk=Risk.WRITE,
        examples=("mcp", "mcp --http --port 8931"),
        phrases=(
            "start the mcp server",
            "serve the tools over mcp",
            "let my coding agent use gridbot through mcp",
            "run the model context protocol server over http",
            "open the tool server on port 9000",
        ),
        by_person=True,
    ),
    Command(
        name="vscode sync",
        summary="Write .vscode/ anew from the registry: tasks, launch, settings, extensions, shortcuts.",
        run="automation.interfaces.vscode.commands:sync",
        request="automation.interfaces.vscode.requests:SyncRequest",
        risk=Risk.WRITE,
        examples=("vscode sync", "vscode sync --check"),
        phrases=(
            "write the VS Code tasks anew",
            "update the editor's tasks",
            "sync vscode",
            "are the vscode files up to date",
            "regenerate the .vscode folder",
        ),
    ),
    Command(
        name="vscode install",
        summary="Merge GridBot's shortcuts into VS Code's own keybindings, keeping the user's, or take them out again.",
        run="automation.interfaces.vscode.commands:install",
        request="automation.interfaces.vscode.requests:InstallRequest",
        risk=Risk.WRITE,
        examples=("vscode install", "vscode install --remove"),
        phrases=(
            "install the VS Code shortcuts",
            "set up the keyboard shortcuts in my editor",
            "add the keybindings to vscode",
            "remove gridbot's shortcuts from vs code",
            "merge the hotkeys into my editor",
        ),
        by_person=True,
    ),
)
