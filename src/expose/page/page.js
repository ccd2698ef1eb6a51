// Takes the run's messages, keeps what the last minutes were, and shows it.
import { brief, bytes, clock, drawFlow, drawRates, drawShards, drawTimes, grouped, momentAt, readColours, time, timed } from "/charts.js";
import { offerControl, showSteered } from "/control.js";

const $ = id => document.getElementById(id);
const MOST_BINS = 3000, SPAN = { tenths: 60e3, seconds: 300e3 }, LATE = 350;
const run = { at: 0, began: 0, heard: 0, first: 0, bins: [], spans: [], heat: { names: [], columns: [] }, marks: [], counts: null, about: null, phase: "", paused: false, factor: "1", limit: "", limit_words: "" };
let view = "tenths", latency = "delivery", fresh = false, gone = false;
const pointed = { rates: null, times: null, shards: null };

// --- what is heard --------------------------------------------------------------------------------------------------

const NAMES = ["due", "dropped", "generated", "sent", "failed", "unknown", "throttled", "requests", "bytes", "flight", "cpu"];
function bin(row) {
  const one = { from: row[0], to: row[0] + row[1] };
  NAMES.forEach((name, at) => { one[name] = row[at + 2]; });
  return one;
}

/** From number `from` on, what is told now counts. */
function replace(list, from, rows) {
  list.length = Math.min(list.length, from);
  for (const row of rows) list.push(row);
}

function take(told, whole) {
  if (whole || told.began !== run.began) {
    Object.assign(run, { first: told.bins.from, bins: [], spans: [], heat: { names: [], columns: [] }, marks: [] });
  }
  const keep = told.bins.from - run.first;
  if (keep < 0 || keep > run.bins.length) { run.first = told.bins.from; run.bins = []; } else run.bins.length = keep;
  for (const row of told.bins.rows) run.bins.push(bin(row));
  const old = run.bins.length - MOST_BINS;
  if (old > 0) { run.bins.splice(0, old); run.first += old; }
  replace(run.spans, told.spans.from, told.spans.rows.map(([row, delivery, request]) => ({ ...bin(row), delivery, request })));
  if (told.heat.names) run.heat.names = told.heat.names;
  replace(run.heat.columns, told.heat.from, told.heat.columns);
  replace(run.marks, told.marks.from, told.marks.rows);
  for (const key of ["at", "began", "counts", "phase", "paused", "factor", "limit", "limit_words", "more_marks"]) run[key] = told[key];
  if (told.about) run.about = told.about;
  run.heard = performance.now();
  fresh = true;
  gone = false;
  showNow(whole);
}

const source = new EventSource("/events");
source.addEventListener("whole", event => take(JSON.parse(event.data), true));
source.addEventListener("more", event => take(JSON.parse(event.data), false));
source.onerror = () => {
  gone = true;
  phase("lost", "no contact");
  if (run.counts) limit("nothing", "No contact: the run is over, or can't be reached. The numbers are the last ones seen.");
};

// --- numbers and words ----------------------------------------------------------------------------------------------

function say(id, words) {
  const one = $(id);
  if (one.textContent !== words) one.textContent = words;
}
function phase(name, words) {
  $("phase").dataset.phase = name;
  say("phase", words);
}
let limitSaid = 0;
function limit(name, words) {
  const now = performance.now(), one = $("limit");
  // A voice reads this aloud: not more often than one can listen.
  if (one.dataset.limit === name && now - limitSaid < 4000) return;
  if (one.textContent !== words) { one.textContent = words; limitSaid = now; }
  one.dataset.limit = name;
}

const SUMS = ["due", "dropped", "generated", "sent", "failed", "unknown", "in_flight"];
function showNow(whole) {
  const { counts } = run;
  for (const one of document.querySelectorAll("[data-count]")) {
    const words = grouped(counts[one.dataset.count]);
    if (one.textContent !== words) one.textContent = words;
  }
  for (const one of document.querySelectorAll("[data-share]")) {
    const part = counts[one.dataset.share], words = counts.due ? percent(part / counts.due, part) : "";
    if (one.textContent !== words) one.textContent = words;
  }
  const first = counts.due === counts.dropped + counts.generated;
  const second = counts.generated === counts.sent + counts.failed + counts.unknown + counts.in_flight;
  $("adds").classList.toggle("wrong", !(first && second));
  say("adds", first && second ? "It adds up: due = dropped + generated, generated = sent + failed + unknown + in flight."
    : "It does not add up: a defect of this program.");
  drawFlow($("flow"), counts);
  const lately = rates();
  for (const name of ["due", "sent", "throttled", "failed", "unknown", "dropped"]) say("rate-" + name, brief(lately[name]));
  say("bytes-rate", bytes(lately.bytes) + "/s");
  say("bytes-all", bytes(counts.sent_bytes));
  for (const name of ["failed", "unknown", "dropped"]) say(name + "-by", reasons(counts[name], counts[name + "_by"]));
  const [p50, , p99, most] = counts.delivery, [number, unit] = time(p99);
  say("delay", number);
  say("delay-unit", unit);
  say("delay-half", timed(p50));
  say("delay-most", timed(most));
  const word = run.paused && run.phase === "running" ? "paused" : run.phase;
  phase(word, word === "running" && run.factor !== "1" ? `running, × ${run.factor}` : word);
  limit(run.limit, run.limit_words);
  if (run.about && whole) showAbout(run.about);
  showSteered(run);
  if (fresh) showMarks();
  say("clock", clock(run.at));
}

/** Of whole seconds, so that a burst counts as often as a second does. */
function rates() {
  const end = run.at, sums = Object.fromEntries([...NAMES, "long"].map(name => [name, 0]));
  for (let at = run.bins.length - 1; at >= 0 && run.bins[at].to > end - 3000; at--) {
    const one = run.bins[at];
    for (const name of NAMES) sums[name] += one[name];
    sums.long += one.to - one.from;
  }
  for (const name of NAMES) sums[name] *= 1000 / Math.max(1000, sums.long);
  return sums;
}

function percent(share, part) {
  if (!part) return "0 %";
  const words = (100 * share).toFixed(share < 0.0995 ? 2 : 1);
  return Number(words) === 0 ? "< 0.01 %" : Number(words) === 100 && share < 1 ? "> 99.9 %" : words.replace(/\.?0+$/, "") + " %";
}
function reasons(all, by) {
  if (!all) return "none in all";
  const most = Object.entries(by).sort((a, b) => b[1] - a[1])[0];
  return `in all ${grouped(all)}${most ? ", " + most[0].replaceAll("_", " ") : ""}`;
}

function row(cells, head) {
  const tr = document.createElement("tr");
  cells.forEach((words, at) => {
    const cell = document.createElement(head || at === 0 ? "th" : "td");
    cell.scope = head ? "col" : "row";
    cell.textContent = words;
    tr.append(cell);
  });
  return tr;
}
function table(id, head, rows) {
  const thead = document.createElement("thead"), tbody = document.createElement("tbody");
  if (head) thead.append(row(head, true));
  tbody.append(...rows.map(cells => row(cells)));
  $(id).replaceChildren(...(head ? [thead, tbody] : [tbody]));
}

function showAbout(about) {
  say("stream", `${about.stream}, ${about.shards === 1 ? "1 shard" : grouped(about.shards) + " shards"}`);
  say("load", about.load);
  $("load").title = about.load;
  say("instance", about.instance);
  say("version", `kinesis-streamer ${about.version}`);
  document.title = `${about.stream} · kinesis-streamer`;
  table("settings", null, about.settings);
  if (about.control) offerControl(about);
}

let marksShown = -1;
function showMarks() {
  const all = run.marks.length + (run.more_marks || 0);
  if (all === marksShown) return;
  marksShown = all;
  const list = run.marks.slice(-200).reverse().map(([at, what]) => {
    const li = document.createElement("li"), when = document.createElement("time"), said = document.createElement("span");
    when.textContent = clock(at);
    said.textContent = what;
    li.append(when, said);
    return li;
  });
  if (run.more_marks) {
    const li = document.createElement("li");
    li.textContent = `and ${grouped(run.more_marks)} more that are not kept`;
    list.unshift(li);
  }
  if (list.length) $("marks").replaceChildren(...list);
}

// --- pictures -------------------------------------------------------------------------------------------------------

/** The bins of the last minutes, those of each second in one: as long as they are, for one may be late. */
function seconds() {
  const all = [];
  for (const one of run.bins) {
    const second = Math.floor((one.from + one.to) / 2000) * 1000, last = all[all.length - 1];
    if (last && last.second === second) {
      for (const name of NAMES) if (name !== "flight") last[name] += one[name];
      last.to = one.to;
      last.flight = one.flight;
    } else all.push({ ...one, second });
  }
  // The last one is not over, and the first one is cut.
  return all.slice(1, -1).concat(all.length > 1 ? [] : all);
}

function frame() {
  // A little behind, so that what comes in messages goes by evenly.
  const now = gone ? run.at : Math.min(run.at + 1500, run.at + performance.now() - run.heard) - LATE;
  if (view === "run") return { begin: 0, end: Math.max(run.at, 10e3) };
  // A young run has the whole width for itself.
  return { begin: Math.max(0, now - SPAN[view]), end: Math.max(now, 10e3) };
}

let drawn = { at: -1, rows: [], spans: [] };
function shown() {
  if (drawn.at !== run.heard || drawn.view !== view || drawn.latency !== latency) {
    const rows = view === "tenths" ? run.bins.slice(-700) : view === "seconds" ? seconds() : run.spans;
    drawn = { at: run.heard, view, latency, rows, spans: run.spans.map(one => ({ from: one.from, to: one.to, times: one[latency] })) };
  }
  return drawn;
}

function draw() {
  if (!run.counts) return;
  const on = frame(), { rows, spans } = shown();
  drawRates($("rates"), rows, on, run.marks, pointed.rates);
  drawTimes($("times"), spans, on, run.marks, pointed.times);
  if (fresh) drawShards($("shards"), run.heat, on, pointed.shards);
  fresh = false;
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let before = 0;
function frames(now) {
  requestAnimationFrame(frames);
  // Twenty pictures a second are smooth enough for what moves so slowly; calm screens change with the numbers alone.
  if (now - before < 45 || (calm.matches && !fresh)) return;
  before = now;
  draw();
}

// --- looking closer -------------------------------------------------------------------------------------------------

const said = {
  rates(at) {
    const one = nearest(shown().rows, at);
    if (!one) return "";
    const per = name => brief(one[name] * 1000 / Math.max(1, one.to - one.from));
    return `${when(one)}: offered ${per("due")}/s, sent ${per("sent")}/s, throttled ${per("throttled")}/s, failed ${per("failed")}/s, unknown ${per("unknown")}/s, dropped ${per("dropped")}/s, in flight ${grouped(one.flight)}`;
  },
  times(at) {
    const one = nearest(shown().spans, at);
    if (!one) return "";
    return `${when(one)}: p50 ${timed(one.times[0])}, p90 ${timed(one.times[1])}, p99 ${timed(one.times[2])}, most ${timed(one.times[3])}`;
  },
  shards(at) {
    const one = nearest(run.heat.columns.map(([from, to, sent, throttled]) => ({ from, to, sent, throttled })), at);
    if (!one) return "";
    const top = busiest(one)[0];
    const refused = one.throttled.filter(n => n > 0).length;
    return top ? `${when(one)}: busiest ${top.name} with ${brief(top.rate)}/s; ${refused} of ${run.heat.names.length} rows throttled` : `${when(one)}: nothing`;
  },
};
const when = one => (one.from / 1000).toFixed(one.to - one.from < 950 ? 1 : 0) + " s";
function nearest(rows, at) {
  let best = null, apart = Infinity;
  for (const one of rows) {
    const off = Math.abs((one.from + one.to) / 2 - at);
    if (off < apart) [best, apart] = [one, off];
  }
  return best;
}
function busiest({ from, to, sent, throttled }) {
  return run.heat.names
    .map((name, at) => ({ name, sent: sent[at] || 0, throttled: throttled[at] || 0, rate: (sent[at] || 0) * 1000 / Math.max(1, to - from) }))
    .filter(one => one.sent + one.throttled)
    .sort((a, b) => b.sent + b.throttled - a.sent - a.throttled);
}
function point(name, at) {
  pointed[name] = at;
  fresh = true;
  say(name + "-said", at === null ? "" : said[name](at));
}
for (const name of ["rates", "times", "shards"]) {
  const canvas = $(name);
  canvas.addEventListener("pointermove", event => point(name, momentAt(canvas, frame(), event.offsetX)));
  canvas.addEventListener("pointerleave", () => point(name, null));
  canvas.addEventListener("blur", () => point(name, null));
  canvas.addEventListener("keydown", event => {
    const on = frame(), step = view === "tenths" && name === "rates" ? 100 : Math.max(1000, (on.end - on.begin) / 300);
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === "Escape") return point(name, null);
    const at = event.key === "Home" ? on.begin : event.key === "End" ? on.end : by ? (pointed[name] ?? on.end) + by * step : null;
    if (at === null) return;
    event.preventDefault();
    point(name, Math.min(on.end, Math.max(on.begin, at)));
  });
}

/** Tables are made while they are open, once a second. */
setInterval(() => {
  if (!run.counts) return;
  const open = id => $(id).closest("details").open;
  if (open("rates-table")) {
    const rows = seconds().slice(-30).reverse();
    table("rates-table", ["second", "offered", "sent", "throttled", "failed", "unknown", "dropped", "in flight"],
      rows.map(one => [clock(one.from), ...["due", "sent", "throttled", "failed", "unknown", "dropped", "flight"].map(name => grouped(one[name]))]));
  }
  if (open("times-table")) {
    table("times-table", ["second", "p50", "p90", "p99", "most"],
      shown().spans.slice(-30).reverse().map(one => [clock(one.from), ...one.times.map(timed)]));
  }
  if (open("shards-table")) {
    const last = run.heat.columns[run.heat.columns.length - 1];
    const rows = last ? busiest({ from: last[0], to: last[1], sent: last[2], throttled: last[3] }).slice(0, 30) : [];
    table("shards-table", ["shard", "sent/s", "throttled"],
      rows.map(one => [one.name, brief(one.rate), percent(one.throttled / (one.sent + one.throttled), one.throttled)]));
  }
}, 1000);

for (const input of document.querySelectorAll("input[name=view]"))
  input.addEventListener("change", () => { view = input.value; fresh = true; });
for (const input of document.querySelectorAll("input[name=latency]"))
  input.addEventListener("change", () => { latency = input.value; fresh = true; });
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => { readColours(); fresh = true; });
addEventListener("resize", () => { fresh = true; });
readColours();
requestAnimationFrame(frames);
