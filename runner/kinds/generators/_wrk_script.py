"""The Lua that wrk is given: what it asks, which statuses came back, and its summary as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.kinds.generators.request import path_of

if TYPE_CHECKING:
    from runner.kinds.generators.request import Request

# wrk itself takes 300 to 399 for a success; only `response` sees a status. It costs about
# 1 µs of wrk's CPU per answer. `latency:percentile(100)` is 0 in wrk: max is `latency.max`.
LUA = """\
local threads = {}
function setup(thread) table.insert(threads, thread) end
statuses = {}
function response(status) statuses[status] = (statuses[status] or 0) + 1 end
done = function(summary, latency, requests)
  local e = summary.errors
  local p = function(x) return string.format("%d", latency:percentile(x)) end
  local seen, words = {}, {}
  for _, thread in ipairs(threads) do
    for status, many in pairs(thread:get("statuses")) do
      seen[status] = (seen[status] or 0) + many
    end
  end
  for status, many in pairs(seen) do
    table.insert(words, string.format('"%d":%d', status, many))
  end
  io.write("RUNNER_JSON {",
    '"duration_us":', string.format("%d", summary.duration),
    ',"requests":', string.format("%d", summary.requests),
    ',"bytes":', string.format("%d", summary.bytes),
    ',"statuses":{', table.concat(words, ","), "}",
    ',"connect":', string.format("%d", e.connect), ',"read":', string.format("%d", e.read),
    ',"write":', string.format("%d", e.write), ',"status":', string.format("%d", e.status),
    ',"timeout":', string.format("%d", e.timeout),
    ',"mean_us":', string.format("%.1f", latency.mean),
    ',"stdev_us":', string.format("%.1f", latency.stdev),
    ',"min_us":', string.format("%d", latency.min),
    ',"max_us":', string.format("%d", latency.max),
    ',"p50_us":', p(50), ',"p75_us":', p(75), ',"p90_us":', p(90), ',"p95_us":', p(95),
    ',"p99_us":', p(99), ',"p999_us":', p(99.9), "}\\n")
end
"""
ASKS = """\
wrk.method = {method}
wrk.body = {body}
{headers}local paths = {{{paths}}}
local asked, at = {{}}, 0
function init(args)
  for i, path in ipairs(paths) do asked[i] = wrk.format(nil, path) end
end
function request()
  at = at % #asked + 1
  return asked[at]
end
"""

# a thread's numbers are its own: from one seed all would pause alike
THINKS = """\
function setup(thread) table.insert(threads, thread); thread:set("seed", #threads) end
local seeded = false
function delay()
  if not seeded then math.randomseed(seed); seeded = true end
  return math.random({low}, {high})
end
"""


def script(request: Request) -> str:
    """Give the Lua of one kind of request; a plain GET leaves wrk's own way of asking alone."""
    low, high = (round(1000 * pause) for pause in request.think_s)
    base = LUA + (THINKS.format(low=low, high=high) if high else "")
    if request.plain and not request.targets:
        return base
    headers = dict(request.headers)
    if not request.keep_alive:
        headers["Connection"] = "close"
    lines = "".join(f"wrk.headers[{quoted(k)}] = {quoted(v)}\n" for k, v in headers.items())
    if request.targets:
        paths = ", ".join(quoted(path_of(url)) for url in request.urls(""))
    else:
        paths = "wrk.path"
    asks = ASKS.format(
        method=quoted(request.method),
        body="nil" if request.body is None else quoted(request.body),
        headers=lines,
        # the URL's own path is known once wrk has read it
        paths="" if paths == "wrk.path" else paths,
    )
    if paths == "wrk.path":
        asks = asks.replace("function init(args)\n", "function init(args)\n  paths = {wrk.path}\n")
    return base + asks


def quoted(text: str | bytes) -> str:
    """Write any bytes as a Lua string."""
    data = text.encode() if isinstance(text, str) else text
    plain = all(32 <= byte < 127 and byte not in b'"\\' for byte in data)
    return f'"{data.decode()}"' if plain else '"' + "".join(f"\\{b:03d}" for b in data) + '"'
