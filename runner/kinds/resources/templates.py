"""templates: files made from a Jinja template of the spec's folder.

A template sees its `vars` and the host's `facts`, and nothing else; a name that
is not there is an error and never an empty text.
"""

from collections.abc import Mapping

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import Field, SecretStr

from runner.kinds.resources import _file_model as shared
from runner.kinds.resources.interface import (
    Cell,
    Facts,
    Json,
    Planned,
    Refused,
    Root,
    SecretText,
    Unknown,
    Values,
)

_JINJA = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)


class TemplateEntry(shared.Attributes):
    """One file that is made from a template."""

    src: shared.Source = Field(description="a Jinja template in the spec's folder")
    vars: dict[str, str | SecretText | int | float | bool | list[str]] = Field(
        {}, description="names for the template"
    )

    def hidden(self) -> bool:
        """Say whether the result holds a secret."""
        return self.secret or any(isinstance(v, SecretStr) for v in self.vars.values())


class TemplatesModel(Root[dict[shared.Destination, TemplateEntry]]):
    """`templates: {/etc/app.conf: {src: app.conf.j2, vars: {port: 80}}}`."""

    def sources(self) -> list[str]:
        """Name the files to read, relative to the spec's folder."""
        return sorted({entry.src for entry in self.root.values()})

    def with_sources(self, contents: Mapping[str, bytes]) -> "TemplatesModel":
        """Give the same payload with the bytes of its sources."""
        return TemplatesModel.model_construct(
            {path: entry.with_bytes(contents.get(entry.src)) for path, entry in self.root.items()}
        )


def _tree(facts: Facts) -> dict[str, object]:
    """Give dotted facts as a template reads them: facts.board.model."""
    tree: dict[str, object] = {}
    for name in sorted(facts):
        place = tree
        *above, last = name.split(".")
        for part in above:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):  # `thp` and `thp.enabled`: the longer one wins
                inner = place[part] = {"": inner}
            place = inner
        place[last] = facts[name]
    return tree


def _rendered(source: bytes, names: dict[str, object]) -> bytes:
    """Fill a template in; every byte that is not part of a tag stays, line ends too.

    Jinja makes every line end of a source its own, so the CR is a private letter meanwhile.
    """
    text = source.decode(errors="surrogateescape")
    letter = next(mark for mark in map(chr, range(0xE000, 0xF8FF)) if mark not in text)
    filled = _JINJA.from_string(text.replace("\r", letter)).render(names)
    return filled.replace(letter, "\r").encode(errors="surrogateescape")


class Templates:
    """Files made from templates."""

    name = "templates"
    doc = "by path: `{src: app.conf.j2, vars: {port: 80}}` and all that files take; sees `facts`"
    absent = "refused where a name is not known"
    fixed = ""
    sets: tuple[str, ...] = ()
    needs_root = True
    Model = TemplatesModel

    def candidates(self, payload: TemplatesModel) -> list[Json]:
        """Read every path, and the lists of users where a name is used."""
        cells = [shared.file_cell(self.name, path).to_json() for path in payload.root]
        if any(entry.named() for entry in payload.root.values()):
            cells += shared.account_cells(self.name)
        return cells

    def plan(self, payload: TemplatesModel, facts: Facts, values: Values) -> Planned:
        """One cell a path."""
        cells: list[Cell] = []
        for path, entry in payload.root.items():
            numbers = shared.numbers(self.name, entry, facts, values)
            if isinstance(numbers, (Unknown, Refused)):
                return numbers
            source = entry.loaded()
            if source is None:
                return Unknown(f"the content of {entry.src}")
            names = {
                key: value.get_secret_value() if isinstance(value, SecretStr) else value
                for key, value in entry.vars.items()
            }
            try:
                text = _rendered(source, {"facts": _tree(facts), **names})
            except TemplateError as error:
                line = getattr(error, "lineno", None)
                where = f"{entry.src}:{line}" if line else entry.src
                return Refused(f"{where}: {error}", "add the name to `vars`, or mend the template")
            cells.append(
                shared.file_cell(
                    self.name,
                    path,
                    want=shared.file_value(text, numbers, entry.xattrs),
                    secret=entry.hidden(),
                )
            )
        return cells


KIND = Templates()
