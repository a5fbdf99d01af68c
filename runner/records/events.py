"""Every event of a host, decoded and checked once, where its bytes come in.

Text that is not UTF-8 (a path, a value of a kernel file) travels as JSON escapes of lone
surrogates, as Python's `surrogateescape` has it. The decoder refuses those, so a line with
them is read by `json`, which does not, and then checked by the same types.
"""

from __future__ import annotations

import json
from typing import NoReturn

import msgspec

from runner.records.host_events import (
    Applied,
    Blob,
    End,
    FactsRead,
    Forgotten,
    HostSaid,
    LeaseEnded,
    NeedAgent,
    NeedBlob,
    Rebooting,
    Result,
    Status,
    Stopped,
    Value,
)
from runner.records.trial_events import (
    Aborted,
    Absent,
    CgroupLeft,
    Columns,
    Cooled,
    Failed,
    FaultEnded,
    FaultSkipped,
    FaultStarted,
    Fetched,
    FetchedPart,
    IdleEnded,
    IdleStarted,
    Listener,
    LoadAt,
    MeasureStarted,
    Output,
    PortTaken,
    Prepared,
    Ready,
    Sample,
    Sampler,
    Settled,
    StateChecked,
    StepEnded,
    StepStarted,
    Traced,
    TrialStarted,
    WorkloadExited,
    WorkloadLost,
    WorkloadStarted,
)

HostEvent = (
    NeedAgent | NeedBlob | Blob | End | FactsRead | Value | HostSaid | Result | Status | Applied
    | Rebooting | Forgotten | Stopped | LeaseEnded
)  # fmt: skip
TrialEvent = (
    TrialStarted | Settled | Prepared | WorkloadStarted | WorkloadLost | Ready | Listener
    | PortTaken
    | Columns | Sample | Absent | Output | IdleStarted | IdleEnded | LoadAt
    | StepStarted | MeasureStarted | StepEnded
    | StateChecked | Cooled | FaultStarted | FaultEnded | FaultSkipped | FetchedPart | Fetched
    | Traced | WorkloadExited | CgroupLeft | Aborted | Failed | Sampler | Result | End
)  # fmt: skip
AnyEvent = HostEvent | TrialEvent

_DECODER = msgspec.json.Decoder(AnyEvent)
_SURROGATE = b"\\ud"


class EventError(ValueError):
    """A line that is not an event, and why."""


def decode(line: bytes | str) -> AnyEvent:
    """Give the event of one line; EventError where it is none, whatever its bytes are."""
    try:
        event: AnyEvent = _DECODER.decode(line)
    except RecursionError:
        raise EventError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise EventError("it is not UTF-8") from None
    except msgspec.ValidationError as error:
        raise EventError(str(error)) from None
    except msgspec.DecodeError as error:
        given = line.encode() if isinstance(line, str) else line
        if _SURROGATE not in given.lower():
            raise EventError(str(error)) from None
        return _with_surrogates(given)
    return event


def _with_surrogates(line: bytes) -> AnyEvent:
    try:
        event: AnyEvent = msgspec.convert(json.loads(line, parse_constant=_refuse), AnyEvent)
    except RecursionError:
        raise EventError("it is nested too deeply") from None
    except (ValueError, msgspec.ValidationError) as error:
        raise EventError(str(error)) from None
    return event


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
