"""Events of a real Go program's memory."""

from __future__ import annotations

import base64
import hashlib
import zlib

from tests.goserver import moment


def text(name, said, step=0):
    return {"event": "fetched", "name": name, "step": step, "status": None, "text": said}


def packed(name, data, step=0):
    """As the agent sends it: one zlib stream in several events, then the answer."""
    stream = zlib.compress(data)
    cuts = [stream[at : at + 100_000] for at in range(0, len(stream), 100_000)]
    parts = [
        {"event": "fetched_part", "name": name, "step": step, "part": number,
         "zlib_b64": base64.b64encode(cut).decode()}
        for number, cut in enumerate(cuts)
    ]  # fmt: skip
    whole = {"event": "fetched", "name": name, "step": step, "status": 200, "text": None,
             "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "parts": len(parts)}  # fmt: skip
    return [*parts, whole]


def events(go="1.22.10", arch="", *, pagemap=True, after=True):
    found = moment(go, arch)
    return [
        text("status", found.status),
        text("smaps", found.smaps),
        *([text("pages", found.pages)] if pagemap else []),
        *packed("heapdump", found.dump),
        *([text("smaps_after", found.smaps_after)] if after else []),
        *packed("heap", found.heap),
    ]
