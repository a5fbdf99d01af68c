"""A run as an RO-Crate: what it was made from, what it gave, and who says so. Pure.

Conforms to RO-Crate 1.1 and to the Process Run Crate profile 0.5
(w3id.org/ro/wfrun/process): the run is a CreateAction of the program `runner`, with the spec and
its sources as objects and the record as result. Each file has its size and SHA-256, which
`runner reproduce` checks.
"""

from __future__ import annotations

import json
import mimetypes
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.records.manifest import Manifest

NAME: Final = "ro-crate-metadata.json"
CRATE: Final = "https://w3id.org/ro/crate/1.1"
PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
TERMS: Final = "https://w3id.org/ro/terms/workflow-run/context"
PROGRAM: Final = "urn:runner-experiments"
SHA256: Final = "sha256"
LICENSE: Final = "#license"

Entity = dict[str, object]


@dataclass(frozen=True)
class Part:
    """One file of a crate."""

    path: str
    """In the crate, with `/`."""
    size: int
    """Bytes."""
    sha256: str
    object: bool = False
    """Whether the run was made from it; else it is what the run gave."""


@dataclass(frozen=True)
class About:
    """What a crate says of the experiment."""

    title: str
    description: str
    license: str = ""
    """Its SPDX id, where it is known."""
    source_title: str = ""
    source_url: str = ""


def metadata(
    manifest: Manifest,
    about: About,
    parts: Sequence[Part],
    claims: Iterable[tuple[str, str, str]] = (),
) -> str:
    """Give ro-crate-metadata.json; `claims` are (id, quote, verdict)."""
    ended = manifest.ended_at or manifest.started_at
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{about.title}: run {manifest.id}",
        "description": about.description or about.title,
        "datePublished": _iso(ended),
        "identifier": manifest.id,
        "conformsTo": {"@id": PROFILE},
        "hasPart": _ids(parts),
        "mentions": {"@id": "#run"},
        "license": {"@id": LICENSE},
    }
    entities: list[Entity] = [
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {
            "@id": LICENSE,
            "@type": "CreativeWork",
            "name": about.license or "not stated",
            "description": "licence of the repository that holds the spec",
        },
        _program(manifest),
        _action(manifest, parts),
        *(_file(part) for part in parts),
        *(_claim(*claim) for claim in claims),
    ]
    if about.source_title:
        place = about.source_url or "#source"
        root["isBasedOn"] = {"@id": place}
        entities.append({"@id": place, "@type": "CreativeWork", "name": about.source_title})
    head: Entity = {
        "@id": NAME,
        "@type": "CreativeWork",
        "conformsTo": {"@id": CRATE},
        "about": {"@id": "./"},
    }
    graph = {"@context": [f"{CRATE}/context", TERMS], "@graph": [head, root, *entities]}
    return json.dumps(graph, ensure_ascii=False, indent=1) + "\n"


def hashes(metadata_text: str) -> Mapping[str, str]:
    """Read path → SHA-256 of every file that a crate's metadata names; ValueError or KeyError."""
    graph = json.loads(metadata_text)["@graph"]
    return {
        unquote(str(entity["@id"])): str(entity[SHA256])
        for entity in graph
        if entity.get("@type") == "File" and SHA256 in entity
    }


def _ids(parts: Iterable[Part]) -> list[Entity]:
    return [{"@id": quote(part.path)} for part in parts]


def _program(manifest: Manifest) -> Entity:
    own = manifest.tools.get("runner")
    version = (own.version if own else None) or "unknown"
    entity: Entity = {
        "@id": PROGRAM, "@type": "SoftwareApplication", "name": "runner",
        "description": "declarative experiment runner", "softwareVersion": version,
    }  # fmt: skip
    if manifest.git.commit:
        entity["identifier"] = manifest.git.commit
    return entity


def _action(manifest: Manifest, parts: Sequence[Part]) -> Entity:
    done = manifest.state == "done"
    status = "Completed" if done else "Failed"
    entity: Entity = {
        "@id": "#run", "@type": "CreateAction", "name": " ".join(manifest.command) or "apply",
        "description": "state applied, program run, board put back",
        "startTime": _iso(manifest.started_at), "endTime": _iso(manifest.ended_at),
        "actionStatus": f"http://schema.org/{status}ActionStatus",
        "instrument": {"@id": PROGRAM},
        "object": _ids(part for part in parts if part.object),
        "result": _ids(part for part in parts if not part.object),
    }  # fmt: skip
    if not done and manifest.why:
        entity["error"] = manifest.why
    return {name: value for name, value in entity.items() if value is not None}


def _file(part: Part) -> Entity:
    return {
        "@id": quote(part.path), "@type": "File", "name": part.path.rpartition("/")[2],
        "contentSize": str(part.size), "encodingFormat": _media(part.path), SHA256: part.sha256,
    }  # fmt: skip


def _claim(name: str, words: str, verdict: str) -> Entity:
    return {
        "@id": f"#claim-{quote(name, safe='')}", "@type": "Claim", "name": name, "text": words,
        "creativeWorkStatus": verdict,
    }  # fmt: skip


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _media(name: str) -> str:
    known = {".md": "text/markdown", ".yaml": "application/yaml", ".gz": "application/gzip",
             ".jsonl": "application/jsonl", ".parquet": "application/vnd.apache.parquet",
             ".svg": "image/svg+xml"}  # fmt: skip
    suffix = name[name.rfind(".") :]
    return known.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
