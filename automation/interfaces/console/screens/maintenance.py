"""The screen of the pipeline: the run at work, all runs, what went wrong, and what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable

from automation.interfaces.console.background import in_background
from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.data.run_records import MaintenanceFacts, RunView
from automation.interfaces.console.diff import diff_text
from automation.interfaces.console.jobs import Job
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.widgets.patch_editor import PatchEditor
from automation.interfaces.console.widgets.pipeline_graph import PipelineGraph
from automation.interfaces.console.widgets.reason import AskReason
from automation.interfaces.console.widgets.row_table import RowTable
from automation.interfaces.console.widgets.run_texts import (
    INCIDENT_COLUMNS,
    RUN_COLUMNS,
    evidence_text,
    incident_rows_of,
    run_line,
    run_rows,
    work_text,
)
from automation.interfaces.console.widgets.still import Still

if TYPE_CHECKING:
    from automation.interfaces.console.data.maintenance import MaintenanceReader
    from automation.pipeline.hand_edits import EditedFile

EDIT_COMMAND = "runs edit"
_WIDE, _HIGH = 110, 28
_PANELS = {"runs": "l", "change": "c", "evidence": "v", "incidents": "i"}
# where there is room, one of the first two stands on the left and one of the others on the right
_LEFT, _RIGHT = ("runs", "incidents"), ("change", "evidence")
_NONE = "The pipeline has not run yet. Type / and: demo   or: fix"


class MaintenancePane(Pane[MaintenanceFacts]):
    """The run at work, else one that waits for approval, else the newest; or the one that was chosen in the list."""

    EVERY_S: ClassVar[float] = 0.5
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "Approve"),
        Binding("r", "reject", "Reject"),
        Binding("e", "edit", "Edit"),
        Binding("u", "resume", "Resume"),
        Binding("l", "panel('runs')", "List of runs", show=False),
        Binding("c", "panel('change')", "Change: the diff", show=False),
        Binding("v", "panel('evidence')", "Evidence: tests, diagnosis, rivals", show=False),
        Binding("i", "panel('incidents')", "Incidents", show=False),
        Binding("w", "waiting", "Go to the next run that waits for approval", show=False),
        Binding("d", "abandon", "Drop: give up the run and its private copy", show=False),
        Binding("g", "follow", "Go back to the run at work", show=False),
    ]
    DEFAULT_CSS = """
    MaintenancePane #line { height: 2; padding: 0 1; background: $raised; text-wrap: nowrap; text-overflow: ellipsis; }
    MaintenancePane #work { height: 3; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    MaintenancePane #none { padding: 1 2; color: $quiet; }
    MaintenancePane #below { height: 1fr; }
    MaintenancePane #left, MaintenancePane #right { height: 1fr; width: 1fr; }
    MaintenancePane .panel { height: 1fr; display: none; }
    MaintenancePane .heading { height: 1; padding: 0 1; background: $raised; color: $quiet; }
    MaintenancePane .scroll { height: 1fr; scrollbar-size: 1 1; overflow-x: auto; }
    MaintenancePane #diff { width: auto; padding: 0 1; }
    MaintenancePane #evidence-text { height: auto; padding: 0 1; }
    MaintenancePane.wide #right { border-left: vkey $frame; }
    MaintenancePane.narrow #left, MaintenancePane.narrow #right { display: none; }
    MaintenancePane.narrow.on-left #left, MaintenancePane.narrow.on-right #right { display: block; }
    MaintenancePane .panel.shown { display: block; }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(context, id=id)
        self._reader: MaintenanceReader | None = None
        self._wanted: str | None = None
        self._diff_of = ("", "")
        self._on_left, self._on_right, self._newest_panel = "runs", "change", "runs"
        self.add_class("narrow")

    def body(self) -> ComposeResult:
        """Yield the widgets."""
        yield Still(id="line")
        yield PipelineGraph(id="graph")
        yield Still(id="work")
        yield Still(id="none")
        with Horizontal(id="below"):
            with Vertical(id="left"):
                with Vertical(id="runs", classes="panel"):
                    yield Still(id="runs-heading", classes="heading")
                    yield RowTable(RUN_COLUMNS, id="runs-table")
                with Vertical(id="incidents", classes="panel"):
                    yield Still(id="incidents-heading", classes="heading")
                    yield RowTable(INCIDENT_COLUMNS, id="incidents-table")
            with Vertical(id="right"):
                with Vertical(id="change", classes="panel"):
                    yield Still(id="change-heading", classes="heading")
                    with VerticalScroll(id="change-scroll", classes="scroll"):
                        yield Still(id="diff")
                with Vertical(id="evidence", classes="panel"):
                    yield Still(id="evidence-heading", classes="heading")
                    with VerticalScroll(id="evidence-scroll", classes="scroll"):
                        yield Still(id="evidence-text")

    def on_mount(self) -> None:
        """Show the panels that come first."""
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Show two panels where there is room, else the chosen one."""
        wide = event.size.width >= _WIDE and event.size.height >= _HIGH
        self.set_class(wide, "wide")
        self.set_class(not wide, "narrow")
        self._draw_headings()

    def read(self) -> MaintenanceFacts:
        """Read the runs, and the one that is looked at."""
        if self._reader is None:
            # what reads crashed sessions needs the core, which takes a second to import
            from automation.interfaces.console.data.maintenance import MaintenanceReader

            self._reader = MaintenanceReader(self.context.home)
        return self._reader.read(self._wanted, self.context.clock())

    def show(self, facts: MaintenanceFacts) -> None:
        """Draw what differs."""
        view, palette = facts.shown, self.palette
        for name in ("line", "graph", "work"):
            self.query_one(f"#{name}").display = view is not None
        none = self.query_one("#none", Still)
        none.display = view is None
        none.say(_NONE)
        self.query_one("#runs-table", RowTable).show_rows(run_rows(facts, palette))
        self.query_one("#incidents-table", RowTable).show_rows(incident_rows_of(facts, palette))
        if view is not None:
            self.query_one("#line", Still).say(run_line(view, palette))
            self.query_one("#graph", PipelineGraph).show(view.stages, palette)
            self.query_one("#work", Still).say(work_text(view, palette))
            self._show_change(view.result.patch)
            self.query_one("#evidence-text", Still).say(evidence_text(view, palette))
            if self._wanted is None:
                self.query_one("#runs-table", RowTable).choose(view.row.run_id)
        self._draw_headings()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Look at the run under the cursor, when it was a person who moved it."""
        table = event.data_table
        if not isinstance(table, RowTable) or not table.has_focus or table.chosen is None or self.facts is None:
            return
        chosen = table.chosen
        if table.id == "incidents-table":
            chosen = next((row.run_id for row in self.facts.incidents if row.key == table.chosen), "")
        shown = self.facts.shown
        if chosen and (shown is None or chosen != shown.row.run_id):
            self._look_at(chosen)

    def on_data_table_row_selected(self, _: DataTable.RowSelected) -> None:
        """Show the change of the run that Enter was pressed on."""
        self.action_panel("change")

    def look_at(self, what: str) -> None:
        """Look at a run.

        Parameters
        ----------
        what : str
            Its id.
        """
        self._look_at(what)

    def action_panel(self, name: str) -> None:
        """Go to a panel."""
        self._newest_panel = name
        if name in _LEFT:
            self._on_left = name
        else:
            self._on_right = name
        self._arrange()
        self._draw_headings()
        self.focus_first()

    def focus_first(self) -> None:
        """Give the focus to the panel that was gone to last."""
        name = self._newest_panel
        self.query_one(f"#{name}-scroll" if name in _RIGHT else f"#{name}-table").focus()

    def action_waiting(self) -> None:
        """Look at the next run that waits for approval."""
        waiting = [row.run_id for row in self.facts.waiting] if self.facts is not None else []
        if not waiting:
            self.notify("no run waits for approval")
            return
        place = waiting.index(self._wanted) + 1 if self._wanted in waiting else 0
        self._look_at(waiting[place % len(waiting)])
        self.action_panel("change")

    def action_follow(self) -> None:
        """Look at the run at work again, whichever that is."""
        self._look_at(None)

    def action_approve(self) -> None:
        """Approve the change and let it land; the command asks first."""
        view = self._asked("awaits_approval", "waits for approval; w goes to one that does")
        if view is not None:
            self.run_command("runs approve", {"run": view.row.run_id}, then=self._ran)

    def action_reject(self) -> None:
        """Reject the change, for a reason that may be left out."""
        view = self._asked("awaits_approval", "waits for approval; w goes to one that does")
        if view is None:
            return
        values = {"run": view.row.run_id}
        self.app.push_screen(AskReason("Why is it rejected?"), partial(self._rejected, values))

    def action_edit(self) -> None:
        """Edit the change; what comes of it is proven by the tests like any other."""
        view = self._shown()
        if view is None or not view.result.patch:
            self.notify("this run has no change that could be edited")
            return
        run_id = view.row.run_id
        in_background(self, partial(self._files, run_id), partial(self._open_editor, run_id), self.console.complain)

    def action_resume(self) -> None:
        """Go on with an interrupted run."""
        view = self._asked("is_interrupted", "was interrupted")
        if view is not None:
            self.run_command("runs resume", {"run": view.row.run_id}, then=self._ran)

    def action_abandon(self) -> None:
        """Give the run up; the command asks first."""
        view = self._shown()
        if view is not None and (view.row.is_interrupted or view.row.awaits_approval or view.row.status == "unfixed"):
            self.run_command("runs abandon", {"run": view.row.run_id}, then=self._ran)
        else:
            self.notify("only a run that was interrupted, waits or is unfixed can be given up")

    def _show_change(self, patch: str) -> None:
        # a long diff takes a while to colour, and a run is looked at twice a second
        if self._diff_of != (patch, self.app.theme):
            self._diff_of = patch, self.app.theme
            none = Text("no change yet", self.palette.quiet)
            self.query_one("#diff", Still).say(diff_text(patch, self.palette) if patch else none)

    def _shown(self) -> RunView | None:
        return self.facts.shown if self.facts is not None else None

    def _asked(self, condition: str, words: str) -> RunView | None:
        view = self._shown()
        if view is not None and getattr(view.row, condition):
            return view
        self.notify(f"this is no run that {words}")
        return None

    def _ran(self, _: Job) -> None:
        self.reread()

    def _rejected(self, values: Mapping[str, object], reason: str | None) -> None:
        if reason is not None:
            self.run_command("runs reject", {**values, "reason": reason}, then=self._ran)

    def _files(self, run_id: str) -> tuple[EditedFile, ...]:
        # the one road brings the whole pipeline along
        from automation.pipeline.hand_edits import files_to_edit
        from automation.pipeline.runs import RunStore

        store = RunStore(self.context.home)
        run = store.find(run_id)
        return files_to_edit(run, store.result(run))

    def _open_editor(self, run_id: str, files: tuple[EditedFile, ...]) -> None:
        dark = self.app.current_theme.dark
        self.app.push_screen(PatchEditor(files, dark=dark), partial(self._edited, run_id))

    def _edited(self, run_id: str, texts: Mapping[str, str] | None) -> None:
        if texts is None:
            return
        in_background(self, partial(self._keep, run_id, texts), self._propose, self.console.complain)

    def _keep(self, run_id: str, texts: Mapping[str, str]) -> str:
        from automation.pipeline.hand_edits import keep_edit
        from automation.pipeline.runs import RunStore

        keep_edit(RunStore(self.context.home).find(run_id).folder, texts)
        return run_id

    def _propose(self, run_id: str) -> None:
        self._wanted = None
        self.run_command(EDIT_COMMAND, {"run": run_id}, then=self._ran)

    def _look_at(self, run_id: str | None) -> None:
        self._wanted = run_id
        self.reread()

    def _arrange(self) -> None:
        for name in _PANELS:
            self.query_one(f"#{name}").set_class(name in (self._on_left, self._on_right), "shown")
        self.set_class(self._newest_panel in _LEFT, "on-left")
        self.set_class(self._newest_panel in _RIGHT, "on-right")

    def _draw_headings(self) -> None:
        if self.facts is None:
            return
        waiting = len(self.facts.waiting)
        told = {
            "runs": f"{waiting} to approve (w), " * bool(waiting) + f"{self.facts.run_count:,} in all",
            "incidents": f"{len(self.facts.incidents):,} in all",
            "change": "",
            "evidence": "",
        }
        wide = self.has_class("wide")
        for name in _PANELS:
            group = tuple(_PANELS) if not wide else _LEFT if name in _LEFT else _RIGHT
            self.query_one(f"#{name}-heading", Still).say(self._tabs(group, name, told[name]))

    def _tabs(self, group: tuple[str, ...], chosen: str, told: str) -> Text:
        text = Text(no_wrap=True)
        for name in group:
            text.append(f" {_PANELS[name]} ", f"bold {self.palette.accent}")
            text.append(f"{name} ", f"bold {self.palette.ink}" if name == chosen else self.palette.quiet)
        text.append(f" {told}", self.palette.warn if "approve" in told else self.palette.quiet)
        return text
