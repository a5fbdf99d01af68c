"""The declared state of a spec, with the files of its folder that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.errors import SpecError
from runner.planning.layers import declared_of
from runner.planning.state import declared, sources, with_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.apply.interface import Loaded, Options
    from runner.planning.layers import Declared


def declared_state(loaded: Loaded, options: Options) -> Declared:
    """Give the declared state, of all treatments and of each, with the files that it names.

    It is narrowed by tags. Files are confined to the spec's folder, links included.
    """
    state = declared_of(loaded.experiment)
    return replace(
        state,
        base=_complete(state.base, loaded, options),
        own={name: _complete(system, loaded, options) for name, system in state.own.items()},
    )


def _complete(
    system: Mapping[str, object], loaded: Loaded, options: Options
) -> Mapping[str, object]:
    system = {
        kind: payload
        for kind, payload in declared(system).items()
        if (not options.tags or kind in options.tags) and kind not in options.skip_tags
    }
    root = loaded.path.parent.resolve()
    contents: dict[str, bytes] = {}
    for name in sources(system):
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            raise SpecError(f"{name} leads out of the spec's folder", fix="keep it beside the spec")
        try:
            contents[name] = file.read_bytes()
        except OSError as error:
            raise SpecError(f"{name}: {error.strerror}", fix="files lie beside the spec") from None
    return with_sources(system, contents) if contents else system
