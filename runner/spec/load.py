"""The load: constant, stepped, or idle."""

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from runner.kinds import discovery
from runner.kinds.generators import generator
from runner.kinds.generators.interface import heeds_threads
from runner.kinds.generators.request import DEFAULT_URL, Request, Target
from runner.records.quantities import parse
from runner.records.secrets import Secret, literal, text_of
from runner.records.steps import Asked, LoadStep
from runner.spec.base import (
    MAX_COUNT,
    NUMBER,
    CpuList,
    Duration,
    MaybeSecret,
    Model,
    Rate,
    Text,
    did_you_mean,
    fault,
)
from runner.spec.sections.cooldown import CooldownOf
from runner.spec.sections.printed import LoadNumber
from runner.spec.sections.request import BodyFile, Expect, WeightedUrl
from runner.spec.sections.shape import Think, area, points
from runner.spec.sections.steps import ExpandedStep, Ladder, Step, StepsOf, rung
from runner.spec.sections.unseen import seen

_OF_SOME = {
    "script": "script is not passed to {}: say method, headers, body, urls",
    "numbers": "`numbers` are of `command`; {} has its own",
    "think": "think says nothing to {}: say `generator: wrk`",
}
_NO_RATE = "is a closed loop and keeps no rate: say `generator: vegeta`"


def _generator(name: str) -> str:
    if name == "k6":
        raise fault("generator", "k6 is not driven: an open model is `generator: vegeta`")
    if name != "none" and not discovery.known("generators", name):
        known = (*discovery.names("generators"), "none")
        message = f"unknown load generator `{name}`{did_you_mean(name, known)}"
        raise fault("generator", message)
    return name


def _number_name(text: str) -> str:
    if not re.fullmatch(r"[a-z_]\w*(\.[a-z_]\w*)*", text):
        raise fault("load_number", f"`{text}` cannot name a number: small letters, digits and _")
    return text


NumberName = Annotated[str, AfterValidator(_number_name)]


class Load(Model):
    """What asks the workload for work; `measure` excludes warm-up and cool-down."""

    generator: Annotated[Text, AfterValidator(_generator)] = Field(
        "wrk",
        description="Program that asks: wrk, vegeta, …; `none` waits and asks nothing; "
        "docs/kinds.md has all",
    )
    url: MaybeSecret = Field(DEFAULT_URL, description="What is asked for; {port} is the workload's")
    threads: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] = Field(
        2, description="Of the generator, where it has threads"
    )
    connections: Annotated[int, Field(ge=1, le=MAX_COUNT), NUMBER] | None = Field(
        None, description="Of a closed loop; of an open model the most requests in flight"
    )
    rate: Rate | None = Field(None, description="Requests per second of an open model (vegeta)")
    think: Think | None = Field(
        None,
        description="Of a closed loop (wrk): how long a connection pauses before each request; "
        "[50ms, 150ms]: anything between the two, evenly",
    )
    timeout: Duration = Field(parse("2s"), description="An answer that comes later is an error")
    warmup: Duration = Field(parse("0s"), description="Load before each step that is not measured")
    measure: Duration = Field(parse("30s"), description="How long each step is measured")
    cooldown: CooldownOf | None = Field(None, description="Pause after each step")
    steps: StepsOf = Field(
        (), description="Loads one after the other, or a ladder {from: 8, to: 512, times: 2}"
    )
    between_steps: Literal["keep", "fresh"] = Field(
        "keep", description="fresh: the workload is started anew for every step"
    )
    method: Text = Field("GET", description="HTTP method")
    headers: dict[str, MaybeSecret] = Field({}, description="Headers of every request, by name")
    body: MaybeSecret | None = Field(None, description="Body of every request")
    body_file: BodyFile | None = Field(None, description="File beside the spec, instead of body")
    urls: tuple[WeightedUrl, ...] = Field(
        (), description="Several URLs of one server, instead of url; evenly mixed"
    )
    keep_alive: bool = Field(True, description="false: a new connection for every request")
    insecure: bool = Field(False, description="Of https: the certificate is not checked")
    ca: Text | None = Field(
        None, description="Of https: file of the load's host with the CA's certificate, as PEM"
    )
    expect: Expect = Field(Expect.model_construct(), description="Any other answer is an error")
    script: Text | None = Field(None, description="Script of the generator, beside the spec")
    argv: tuple[Text, ...] = Field(
        (), description="Command of `command`; what redis_benchmark, iperf3, sysbench get besides"
    )
    numbers: dict[NumberName, LoadNumber] = Field(
        {},
        description="What the generator `command` prints, by name: a pattern of stdout, or "
        "{from: stdout.json.a, unit: ms}; without it, its last JSON object",
    )
    cpus: CpuList | None = Field(None, description="CPUs the generator may use, as 0-1,3")

    @model_validator(mode="after")
    def _command(self) -> "Load":
        if self.needs("argv") and not self.argv:
            raise fault("load_argv", f"the generator `{self.generator}` needs argv")
        if not self.measure.exact:
            raise fault("measure", "measures for 0s")
        self._shapes()
        if self.closed and any(s.rate is not None for s in self.expanded_steps()):
            raise fault("rate", f"{self.generator} {_NO_RATE}")
        return self

    def _shapes(self) -> None:
        """Refuse arrivals that the generator cannot make, or that do not fit their step."""
        if isinstance(self.steps, Ladder) or not any(step.shaped for step in self.steps):
            return
        for step, whole in zip(self.steps, self.expanded_steps(), strict=True):
            key = step.shaped
            if not key:
                continue
            if key not in self._takes:
                said = f"{self.generator} cannot be told {key}: say `generator: vegeta`"
                raise fault("step", f"step `{whole.name}`: {said}")
            if unfit := whole.unfit():
                raise fault("step", f"step `{whole.name}`: {unfit}")
        if self.rate is not None and all(step.shaped or step.rate for step in self.steps):
            raise fault("rate", "every step has arrivals of its own: leave out load.rate")

    @property
    def closed(self) -> bool:
        """Whether the generator is a closed loop: it keeps no rate."""
        return self.generator != "none" and generator(self.generator).closed

    def needs(self, key: str) -> bool:
        """Whether the generator cannot do without a key of this section."""
        return self.generator != "none" and key in generator(self.generator).needs

    @model_validator(mode="after")
    def _heeded(self) -> "Load":
        """Refuse what the generator cannot be told: a key that does nothing is a lie."""
        for key, said in _OF_SOME.items():
            if getattr(self, key) and key not in self._takes:
                raise fault("load", said.format(self.generator))
        _ = self.asked_numbers
        if self.generator == "none":
            return self
        if (exposed := seen(self.generator, self.url, self.headers)) is not None:
            raise fault("load", exposed)
        kind, request = generator(self.generator), self.request(reveal=False)
        if self.body is not None and self.body_file is not None:
            raise fault("load", "body and body_file are two bodies: say one")
        urls = [*(one.url for one in self.urls), *(step.url for step in self.expanded_steps())]
        if self.ca is not None and (self.insecure or not any(u.startswith("https:") for u in urls)):
            raise fault("load", "ca is for https whose certificate is checked: not with insecure")
        if "threads" in self.model_fields_set and not heeds_threads(kind):
            raise fault("load", f"threads says nothing to {self.generator}: leave it out")
        for step in self.expanded_steps():
            asked = LoadStep(
                step.url, step.connections or 1, step.duration_s, step.threads,
                self.timeout.seconds, step.rate, tuple(self.argv), self.expect.status,
                think_s=self.think_s,
            )  # fmt: skip
            refused = kind.refuses(request, asked)
            if refused:
                raise fault("load", refused)
        return self

    @model_serializer(mode="wrap")
    def _read_back(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what would be refused where it is read back: a default that nothing heeds."""
        found: dict[str, object] = write(self)
        if self.generator != "none" and not heeds_threads(generator(self.generator)):
            found.pop("threads", None)
        return found

    @property
    def _takes(self) -> tuple[str, ...]:
        return () if self.generator == "none" else generator(self.generator).takes

    @property
    def asked_numbers(self) -> tuple[Asked, ...]:
        """What is looked for in what a load program prints."""
        return tuple(number.asked(name) for name, number in self.numbers.items())

    @property
    def think_s(self) -> tuple[float, float]:
        """The shortest and the longest pause of a connection before a request, in seconds."""
        return (self.think[0].seconds, self.think[1].seconds) if self.think else (0.0, 0.0)

    def request(self, *, reveal: bool = True) -> Request:
        """Give what is sent; secrets are read where `reveal` says so, masked else."""

        def text(value: str | Secret) -> str:
            return text_of(value) if reveal else str(value)

        body = None if self.body is None else text(self.body).encode()
        if self.body_file is not None:
            body = self.body_file.content() if reveal else b""
        return Request(
            method=self.method.upper(),
            headers=tuple((name, text(value)) for name, value in self.headers.items()),
            body=body,
            keep_alive=self.keep_alive,
            insecure=self.insecure,
            ca=self.ca,
            think_s=self.think_s,
            targets=(Target(text_of(self.url)),)
            if reveal and isinstance(self.url, Secret) and not self.urls
            else tuple(Target(item.url, item.weight) for item in self.urls),
        )

    def expanded_steps(self) -> tuple[ExpandedStep, ...]:
        """Every step in order; one for a constant load."""
        written: tuple[Step, ...]
        if isinstance(self.steps, Ladder):
            ladder = self.steps
            written = tuple(rung(ladder, level) for level in ladder.levels())
        else:
            written = self.steps or (Step(),)
        return tuple(self._expand(index, step) for index, step in enumerate(written))

    def _expand(self, index: int, step: Step) -> ExpandedStep:
        connections = step.connections or self.connections
        duration_s = (step.duration or self.measure).seconds
        shape = points(step.ramp, step.spike, duration_s)
        rate = None if step.shaped else (step.rate or self.rate)
        per_second = None if rate is None else rate.per_second
        if step.arrivals is not None and step.arrivals.times is not None:
            per_second = len(step.arrivals.seconds) / duration_s
        elif shape:
            per_second = area(shape) / duration_s
        if step.name is not None:
            name = step.name
        elif step.shaped:
            name = step.shape_name
        elif rate is not None:
            name = f"{rate.per_second:g}/s"
        else:
            name = str(connections) if connections is not None else str(index)
        return ExpandedStep(
            index=index,
            name=name,
            connections=connections,
            rate=per_second,
            duration_s=duration_s,
            warmup_s=(step.warmup or self.warmup).seconds,
            threads=step.threads or self.threads,
            url=step.url or literal(self.url),
            shape=shape,
            arrivals=step.arrivals,
        )
