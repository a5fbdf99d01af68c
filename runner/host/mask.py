"""Taking secrets out of what comes back: as they are, and as programs write them.

A secret is looked for raw, in base64 (wherever in the encoded text it begins), in hex, with
`%` as in URLs, escaped as in JSON, quoted as in pages, shells and languages, and line by line
where it has several. On the host and on the controller alike; only texts are changed, keys and
numbers are not.
"""

from __future__ import annotations

import base64
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Mapping, Sequence

SHOWN = "(secret)"
_LINE = 8
"""Characters of a line that is hidden for itself: a shorter one is a part of ordinary text."""
_ENCODED = 6
"""Bytes whose encoded form is looked for: fewer are a part of any encoded text."""


class Mask:
    """Hides some values; a false one hides nothing."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = tuple(dict.fromkeys(one for one in secrets if one))
        unique: Dict[str, None] = {}
        for secret in self.secrets:
            for form in forms(secret):
                unique[form] = None
        # the longest first: a form may be a part of another
        self.forms: Sequence[str] = sorted(unique, key=len, reverse=True)
        raw = [form.encode("utf-8", "surrogateescape") for form in _whole(self.secrets)]
        self._raw = sorted(raw, key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self.secrets)

    def text(self, text: str) -> str:
        """Give a text without the secrets."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, SHOWN)
        return text

    def data(self, data: bytes) -> bytes:
        """Give bytes of the same length without the secrets."""
        for form in self._raw:
            if form in data:
                data = data.replace(form, b"*" * len(form))
        return data

    @property
    def longest(self) -> int:
        """Bytes of the longest secret: so much has to be held back between two parts."""
        return max((len(form) for form in self._raw), default=0)

    def fields(self, fields: Mapping[str, object]) -> Dict[str, object]:
        """Give the fields of an event without the secrets."""
        return {key: self.value(item) for key, item in fields.items()}

    def value(self, value: object) -> object:
        """Give a value of JSON without the secrets; the bytes of a file keep their length."""
        if not self.secrets:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                key: self._bytes(item)
                if key == "bytes_b64" and isinstance(item, str)
                else self.value(item)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value

    def _bytes(self, text: str) -> str:
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError:
            return self.text(text)
        return base64.b64encode(self.data(data)).decode("ascii")


def _whole(secrets: Iterable[str]) -> List[str]:
    """Give each secret, without its final line end, and its longer lines."""
    texts: List[str] = []
    for secret in secrets:
        texts += [secret, secret.strip()]
        texts += [line.strip() for line in secret.splitlines() if len(line.strip()) >= _LINE]
    return [one for one in dict.fromkeys(texts) if one]


def forms(secret: str) -> List[str]:
    """Give the ways in which a secret may stand in a text."""
    from urllib.parse import quote, quote_plus

    texts: List[str] = []
    lines = len(secret.strip().splitlines())
    for one in _whole([secret]):
        data = one.encode("utf-8", "surrogateescape")
        quoted = (quote(data, safe=""), quote(data), quote_plus(data))
        texts += [one, *quoted, *(text.lower() for text in quoted if "%" in text)]
        texts += [json.dumps(one, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False)]
        if lines == 1:  # the lines of a key hold no sign that is quoted
            texts += _quoted(one)
        if len(data) >= _ENCODED:
            texts += [data.hex(), data.hex().upper(), *_base64(data)]
    # a form that is escaped once more: a JSON text inside a JSON text
    texts += [json.dumps(one)[1:-1] for one in texts]
    return [one for one in dict.fromkeys(texts) if one]


def _quoted(text: str) -> List[str]:
    """Give a text as pages, shells and languages quote it, without the quotes around it."""
    from html import escape

    doubled = text.replace("\\", "\\\\")
    octal = "".join(chr(b) if b < 128 else f"\\{b:o}" for b in text.encode("utf-8", "replace"))
    pages = [escape(text, quote=quote) for quote in (True, False)]
    return [
        *pages,
        *(pages[0].replace("&#x27;", other).replace("&quot;", '"') for other in ("&#39;", "'")),
        *(pages[0].replace("&#x27;", "&#39;").replace("&quot;", q) for q in ("&quot;", "&#34;")),
        doubled,  # as Python's repr where there is no quote in it
        doubled.replace("'", "\\'"),
        doubled.replace('"', '\\"'),
        repr(text.encode("utf-8", "surrogateescape"))[2:-1],
        octal,
        octal.replace("\\", "\\\\"),
        text.replace("'", "''"),  # YAML and SQL
        text.replace("'", "'\\''"),
        text.replace("'", "'\"'\"'"),
        doubled.encode("ascii", "backslashreplace").decode("ascii"),
        *(
            "".join(sign if sign.isalnum() or sign in plain else f"\\{sign}" for sign in text)
            for plain in ("_@%+=:,./-", "_", "")
        ),
    ]


def _base64(data: bytes) -> List[str]:
    """Give what of the encoded text depends on the secret alone, for each of three beginnings."""
    parts: List[str] = []
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            text = encode(bytes(before) + data).decode("ascii").rstrip("=")
            first = -(-before * 8 // 6)
            last = (before + len(data)) * 8 // 6
            if last - first >= _ENCODED:
                parts.append(text[first:last])
    return parts
