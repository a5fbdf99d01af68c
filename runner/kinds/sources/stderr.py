"""What a program complained of: its last JSON object (`stderr.json.a.b`), or a pattern of it."""

from __future__ import annotations

from runner.kinds.sources._text import Stream

PARSER = Stream("stderr")
