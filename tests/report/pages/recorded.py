"""A run folder with the report's fixture in it."""

from runner.report.pages import rebuild
from runner.store.record import RunFolder
from tests.report import fixture


def recorded(root, analysis=None):
    folder = RunFolder.create(
        root, "quickstart", run_id=fixture.MANIFEST["id"], at=fixture.AT, spec_text="a: 1\n",
        spec=fixture.SPEC, manifest={"git": fixture.MANIFEST["git"], "tools": fixture.MANIFEST["tools"]},
    )  # fmt: skip
    folder.write_facts(fixture.FACTS)
    for change in fixture.CHANGES:
        folder.append_change(change)
    folder.append_event("base-r1-a2", {"event": "end", "ok": True})
    folder.finish("done", at=fixture.AT + 98)
    path = rebuild.write(folder, analysis or fixture.analysis())
    return folder, path
