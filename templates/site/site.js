// The pages of the site: filters, sortable tables, figures. No network, no storage: data stands in the page.
"use strict";
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const page = document.body.dataset.page;
  const root = document.body.dataset.root;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // told apart also with colour-blind eyes (Okabe and Ito), brighter on a dark page
  const light = ["#0065b3", "#c75a00", "#007a5a", "#9a3d80", "#6b5b00", "#b3261e"];
  const bright = ["#58a6ff", "#f0a35a", "#3fc79a", "#e08cc8", "#d8c040", "#ff8a80"];
  const colours = () => (dark.matches ? bright : light);

  // -- a run that goes on ----------------------------------------------------------------
  const seen = document.body.dataset.live;
  if (seen !== undefined) {
    const timer = setInterval(async () => {
      if (document.hidden) return;  // nobody looks: the host of the run is left alone
      try {
        const answer = await fetch("stamp", { cache: "no-store" });
        if (answer.ok && (await answer.text()) !== seen) location.reload();
      } catch {
        clearInterval(timer);
        $("#live").textContent = "The run has ended, or its runner has: this is what was seen last.";
      }
    }, 5000);
  }

  // -- tables ----------------------------------------------------------------------------
  const valueOf = (cell) => {
    const given = cell?.dataset.value;
    if (given !== undefined && given !== "") return Number(given);
    const text = (cell?.textContent ?? "").trim();
    const number = Number(text.replace(/\s/g, ""));
    return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
  };
  const compare = (a, b) => {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;  // empty last
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  };
  const sortable = (table) => {
    $$("thead th", table).forEach((head, index) => {
      if ($("button", head)) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        $$("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = $("tbody", table);
        const rows = $$("tr", body).map((row) => [valueOf(row.cells[index]), row]);
        rows.sort(([a], [b]) => (up ? compare(a, b) : a === "" || b === "" ? compare(a, b) : -compare(a, b)));
        body.replaceChildren(...rows.map(([, row]) => row));
      });
    });
  };
  const row = (cells) => {
    const made = document.createElement("tr");
    for (const cell of cells) {
      const td = document.createElement("td");
      if (cell instanceof Node) td.append(cell);
      else if (cell !== null && typeof cell === "object") {
        td.textContent = cell.text;
        td.dataset.value = cell.value ?? "";
        td.className = "nb";
      } else td.textContent = cell ?? "";
      made.append(td);
    }
    return made;
  };
  const headed = (table, names) => {
    const line = document.createElement("tr");
    for (const name of names) {
      const th = document.createElement("th");
      th.scope = "col";
      th.textContent = name;
      line.append(th);
    }
    const head = document.createElement("thead");
    head.append(line);
    table.replaceChildren(head, document.createElement("tbody"));
    return $("tbody", table);
  };
  const options = (select, pairs) => {
    select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
  };

  // -- filters ---------------------------------------------------------------------------
  const filtered = (items, textOf, verdictsOf, noun) => {
    const search = $("#search");
    const source = $("#source");
    const chips = $$("#verdicts .chip");
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = chips.filter((c) => c.getAttribute("aria-pressed") === "true").map((c) => c.dataset.verdict);
      let shown = 0;
      for (const item of items) {
        const text = textOf(item);
        const fits = words.every((word) => text.includes(word))
          && (!wanted.length || verdictsOf(item).some((v) => wanted.includes(v)))
          && (!source || !source.value || item.dataset.source === source.value);
        item.hidden = !fits;
        shown += fits;
      }
      $("#shown").textContent = `${shown} of ${items.length} ${noun}`;
    };
    search.addEventListener("input", apply);
    source?.addEventListener("change", apply);
    for (const chip of chips) {
      chip.addEventListener("click", () => {
        chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
        apply();
      });
    }
    apply();
  };

  // -- figures ---------------------------------------------------------------------------
  const layout = (more) => {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim();
    const edge = style.getPropertyValue("--edge").trim();
    const axis = { gridcolor: edge, zerolinecolor: edge, linecolor: edge, automargin: true };
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, size: 13 },
      autosize: true, margin: { l: 60, r: 16, t: 24, b: 48 }, colorway: colours(), hovermode: "closest",
      legend: { orientation: "h", y: 1.12 }, ...more,
      xaxis: { ...axis, ...more.xaxis }, yaxis: { ...axis, rangemode: "tozero", ...more.yaxis },
    };
  };
  const plot = (element, traces, more) => {
    element.hidden = !window.Plotly;  // without the library the report's own figures are there
    if (element.hidden) return;
    Plotly.react(element, traces, layout(more), { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] });
  };
  const cellName = (e) => [e.where, e.step !== null ? `step ${e.step}` : ""].filter(Boolean).join(", ") || "all";

  const metricFigure = (element, estimates, form) => {
    const scaled = (value, e) => (value === null ? null : value / e.factor[0]);
    const unit = estimates[0]?.factor[1] ?? "";
    const axis = { title: { text: unit ? `${estimates[0].metric} (${unit})` : estimates[0]?.metric } };
    if (form === "steps") {
      const groups = Map.groupBy ? Map.groupBy(estimates, (e) => e.where) : group(estimates, (e) => e.where);
      const traces = [];
      let at = 0;
      for (const [where, own] of groups) {
        const colour = colours()[at++ % light.length];
        const x = own.map((e) => e.step ?? (where || "all"));
        traces.push({
          x, y: own.map((e) => scaled(e.value, e)), name: where || "all", mode: own.length > 1 ? "lines+markers" : "markers",
          marker: { color: colour, size: 9 }, line: { color: colour },
          error_y: { type: "data", symmetric: false, color: colour,
            array: own.map((e) => (e.high === null ? 0 : scaled(e.high - e.value, e))),
            arrayminus: own.map((e) => (e.low === null ? 0 : scaled(e.value - e.low, e))) },
          text: own.map((e) => `${e.shown} [${e.interval}] n = ${e.n}`), hovertemplate: "%{x}: %{text}<extra>%{fullData.name}</extra>",
        });
        traces.push({
          x: own.flatMap((e) => e.values.map(() => e.step ?? (where || "all"))), y: own.flatMap((e) => e.values.map((v) => scaled(v, e))),
          mode: "markers", name: `${where || "all"}: repetitions`, marker: { color: colour, size: 5, opacity: 0.45 }, showlegend: false,
        });
      }
      plot(element, traces, { xaxis: { type: "category", title: { text: estimates.some((e) => e.step !== null) ? "step" : "treatment" } }, yaxis: axis });
    } else if (form === "order") {
      plot(element, estimates.map((e) => ({ x: e.values.map((_, i) => i + 1), y: e.values.map((v) => scaled(v, e)), name: cellName(e), mode: "lines+markers" })),
        { xaxis: { title: { text: "repetition" }, dtick: 1 }, yaxis: axis });
    } else if (form === "cdf") {
      plot(element, estimates.map((e) => {
        const sorted = e.values.filter((v) => v !== null).map((v) => scaled(v, e)).sort((a, b) => a - b);
        return { x: sorted, y: sorted.map((_, i) => (i + 1) / sorted.length), name: cellName(e), mode: "lines+markers", line: { shape: "hv" } };
      }), { xaxis: axis, yaxis: { title: { text: "share of repetitions" }, range: [0, 1.02] } });
    } else if (form === "box") {
      plot(element, estimates.map((e) => ({ y: e.values.map((v) => scaled(v, e)), name: cellName(e), type: "box", boxpoints: "all", jitter: 0.4, pointpos: 0 })), { yaxis: axis });
    } else {
      const first = estimates.filter((e) => e.where === estimates[0].where);
      const pairs = estimates.filter((e) => e.where !== estimates[0].where)
        .map((e) => [e, first.find((f) => f.step === e.step)]).filter(([e, f]) => f && f.value && e.value !== null);
      plot(element, [{
        y: pairs.map(([e]) => cellName(e)), x: pairs.map(([e, f]) => e.value / f.value), mode: "markers", marker: { size: 10 },
        name: `by ${estimates[0].where || "all"}`, orientation: "h",
      }], { xaxis: { title: { text: `ratio of medians to ${estimates[0].where || "the first"}` } }, yaxis: { type: "category", rangemode: "normal" },
        shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { dash: "dot", width: 1 } }] });
    }
  };
  const group = (items, key) => {
    const found = new Map();
    for (const item of items) found.set(key(item), [...(found.get(key(item)) ?? []), item]);
    return found;
  };

  const pages = {
    index() {
      const cards = $$(".card");
      filtered(cards, (c) => c.dataset.text.toLowerCase(), (c) => c.dataset.verdicts.split("|"), "experiments");
      $("#sort").addEventListener("change", (event) => {
        const by = event.target.value;
        const order = {
          newest: (a, b) => b.dataset.newest.localeCompare(a.dataset.newest),
          name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
          claims: (a, b) => b.dataset.claims - a.dataset.claims,
        }[by];
        $("#cards").append(...cards.sort(order));
      });
    },
    claims() {
      const rows = $$("#claims tbody tr");
      const texts = new Map(rows.map((r) => [r, r.textContent.toLowerCase()]));
      filtered(rows, (r) => texts.get(r), (r) => [r.dataset.verdict], "published numbers");
    },
    run() {
      const data = JSON.parse($("#data").textContent);
      const metrics = [...new Set(data.estimates.map((e) => e.metric))];
      if (metrics.length) {
        options($("#metric"), metrics.map((m) => [m, m]));
        const draw = () => metricFigure($("#metricplot"), data.estimates.filter((e) => e.metric === $("#metric").value && e.values.some((v) => v !== null)), $("#form").value);
        $("#metric").addEventListener("change", draw);
        $("#form").addEventListener("change", draw);
        dark.addEventListener("change", draw);
        draw();
      }
      const body = $("#trials tbody");
      const badge = (text) => {
        const made = document.createElement("span");
        made.className = `badge v-${text}`;
        made.textContent = text;
        return made;
      };
      const fill = () => {
        const wanted = $("#outcome").value;
        body.replaceChildren(...data.trials.filter((t) => !wanted || t.outcome === wanted).map((t) => row([
          badge(t.outcome), t.id, t.treatment, t.repetition, t.attempt, t.host, t.started,
          t.steps.filter((s) => s.outcome !== "healthy").map((s) => `${s.name}: ${s.outcome}`).join(", ") || `${t.steps.length} healthy`, t.why,
        ])));
      };
      $("#outcome").addEventListener("change", fill);
      fill();
      over_time(data);
    },
    compare() {
      const runs = window.runnerRuns ?? {};
      const names = Object.keys(runs).sort((a, b) => (runs[a].experiment + runs[b].run).localeCompare(runs[b].experiment + runs[a].run));
      const pairs = names.map((n) => [n, `${runs[n].experiment} ${runs[n].run} (${runs[n].host})`]);
      options($("#a"), pairs);
      options($("#b"), pairs);
      const asked = new URLSearchParams(location.search);
      const twice = names.find((n, i) => i && runs[n].experiment === runs[names[i - 1]].experiment);
      if (names.length > 1) {
        $("#a").value = asked.get("a") ?? twice ?? names[0];
        $("#b").value = asked.get("b") ?? (twice ? names[names.indexOf(twice) - 1] : names[1]);
      }
      const draw = () => compareRuns(runs[$("#a").value], runs[$("#b").value]);
      $("#a").addEventListener("change", draw);
      $("#b").addEventListener("change", draw);
      dark.addEventListener("change", draw);
      if (names.length) draw();
    },
  };

  const over_time = (data) => {
    const trials = [...new Set([...data.series.map((s) => s.trial), ...Object.keys(data.samples ?? {})])];
    if (!trials.length) {
      $("#timenote").textContent = "Nothing was sampled over time, or it is not in this record.";
      return;
    }
    options($("#trial"), trials.map((t) => [t, t]));
    const loaded = {};
    const lines = () => [...data.series.filter((s) => s.trial === $("#trial").value), ...(loaded[$("#trial").value] ?? [])];
    const draw = () => {
      const names = [...new Set(lines().map((s) => s.name))];
      const kept = $("#source").value;
      options($("#source"), names.map((n) => [n, n]));
      if (names.includes(kept)) $("#source").value = kept;
      show();
    };
    const show = () => {
      const chosen = $("#source").value;
      const trial = data.trials.find((t) => t.id === $("#trial").value);
      const own = lines().filter((s) => s.name === chosen);
      const unit = own[0]?.factor[1] ?? "";
      plot($("#timeplot"), own.map((s) => ({ x: s.t, y: s.v.map((v) => (v === null ? null : v / s.factor[0])), name: s.name, mode: "lines", connectgaps: false })), {
        xaxis: { title: { text: "time since the start of the trial (s)" } }, yaxis: { title: { text: unit ? `${chosen} (${unit})` : chosen } },
        shapes: (trial?.steps ?? []).map((s) => ({ type: "rect", x0: s.start, x1: s.end, yref: "paper", y0: 0, y1: 1, line: { width: 0 }, layer: "below", fillcolor: s.outcome === "healthy" ? "rgba(128,128,128,.10)" : "rgba(197,34,31,.14)" })),
        annotations: (trial?.steps ?? []).map((s) => ({ x: (s.start + s.end) / 2, yref: "paper", y: 1.02, text: s.name, showarrow: false, font: { size: 11 } })),
      });
    };
    // every sampled source of a trial lies in a script of its own: read when it is asked for
    const load = () => {
      const trial = $("#trial").value;
      const file = data.samples?.[trial];
      if (!file || loaded[trial]) return draw();
      const script = document.createElement("script");
      script.src = file;
      script.onload = () => {
        loaded[trial] = (window.runnerSamples ?? {})[trial] ?? [];
        draw();
      };
      script.onerror = draw;
      document.head.append(script);
    };
    $("#trial").addEventListener("change", load);
    $("#source").addEventListener("change", show);
    dark.addEventListener("change", show);
    load();
  };

  const compareRuns = (a, b) => {
    if (!a || !b) return;
    const key = (e) => JSON.stringify([e.metric, e.where, e.step]);
    const others = new Map(b.estimates.map((e) => [key(e), e]));
    const pairs = a.estimates.filter((e) => others.has(key(e))).map((e) => [e, others.get(key(e))]);
    const body = headed($("#metrics"), ["metric", "where", "a", "interval", "b", "interval", "b / a", "n"]);
    const ratio = (x, y) => (x.value && y.value !== null ? y.value / x.value : null);
    body.append(...pairs.map(([x, y]) => row([
      x.metric, cellName(x), { text: x.shown || x.why, value: x.value }, x.interval, { text: y.shown || y.why, value: y.value }, y.interval,
      { text: ratio(x, y)?.toPrecision(3) ?? "", value: ratio(x, y) }, `${x.n}+${y.n}`,
    ])));
    sortable($("#metrics"));
    $("#shown").textContent = `${pairs.length} metrics in common`;
    const drawn = pairs.filter(([x, y]) => ratio(x, y) !== null);
    plot($("#ratio"), [{ y: drawn.map(([x]) => `${x.metric} ${cellName(x)}`), x: drawn.map(([x, y]) => ratio(x, y)), mode: "markers", marker: { size: 9 }, orientation: "h" }], {
      xaxis: { title: { text: "b / a" } }, yaxis: { type: "category", rangemode: "normal" },
      shapes: [{ type: "line", x0: 1, x1: 1, yref: "paper", y0: 0, y1: 1, line: { dash: "dot", width: 1 } }],
    });
    const environment = headed($("#environment"), ["fact", "a", "b"]);
    const names = [...new Set([...Object.keys(a.facts), ...Object.keys(b.facts)])].filter((n) => a.facts[n] !== b.facts[n]);
    environment.append(...names.map((n) => row([n, a.facts[n] ?? "absent", b.facts[n] ?? "absent"])));
    if (!names.length) environment.append(row(["nothing that is shown here", "", ""]));
  };

  // -- spec ------------------------------------------------------------------------------
  for (const code of $$("pre.yaml code")) {
    const lines = code.textContent.split("\n").map((line) => {
      const made = document.createDocumentFragment();
      const comment = line.search(/(^|\s)#/);
      const text = comment >= 0 ? line.slice(0, comment) : line;
      const key = text.match(/^(\s*(?:- )?)([\w.\/-]+|"[^"]*")(:)(?=\s|$)/);
      const span = (css, said) => {
        const one = document.createElement("span");
        one.className = css;
        one.textContent = said;
        return one;
      };
      if (key) made.append(key[1], span("yk", key[2]), text.slice(key[0].length - 1));
      else made.append(text);
      if (comment >= 0) made.append(span("yc", line.slice(comment)));
      made.append("\n");
      return made;
    });
    code.replaceChildren(...lines);
  }

  // a column that no row says anything in is left out
  const emptied = (table) => {
    const rows = $$("tbody tr", table);
    $$("thead th", table).forEach((head, index) => {
      const empty = rows.length > 0 && rows.every((r) => (r.cells[index]?.textContent.trim() ?? "") === "" && !r.cells[index]?.querySelector("svg"));
      for (const cell of [head, ...rows.map((r) => r.cells[index])]) if (cell) cell.hidden = empty;
    });
  };

  pages[page]?.();
  $$("table.sortable").forEach((table) => {
    if (!$("thead", table)) return;
    sortable(table);
    emptied(table);
  });
})();
