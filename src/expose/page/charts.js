// Draws: rates, latency bands, the heat map of shards, the flow of records. Knows no network.

export const grouped = n => Math.round(n).toLocaleString("en-US");

/** A rate in few characters: 0, 0.4, 12, 1,234, 12.3k, 1.23M. */
export function brief(n) {
  if (n >= 1e6) return (n / 1e6).toFixed(n >= 1e7 ? 1 : 2) + "M";
  if (n >= 1e4) return (n / 1e3).toFixed(n >= 1e5 ? 0 : 1) + "k";
  if (n >= 10 || n === 0 || Number.isInteger(n)) return grouped(n);
  return n.toFixed(1);
}

/** Microseconds as a number and a unit. */
export function time(us) {
  if (!us) return ["–", ""];
  if (us >= 1e6) return [(us / 1e6).toFixed(us >= 1e7 ? 0 : 1), "s"];
  if (us >= 1e3) return [(us / 1e3).toFixed(us >= 1e4 ? 0 : 1), "ms"];
  return [String(Math.round(us)), "µs"];
}
export const timed = us => time(us).join(" ").trim();

export function bytes(n) {
  for (const [size, unit] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]])
    if (n >= size) return (n / size).toFixed(n / size >= 100 ? 0 : n / size >= 10 ? 1 : 2) + " " + unit;
  return Math.round(n) + " B";
}

/** Milliseconds since the start as a clock: 0:07, 1:02:03. */
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000)), two = n => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

let colours = {};
/** Takes the colours from the style sheet, again when dark turns to light. */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["panel", "line", "text", "quiet", "grid", "due", "sent", "throttled", "failed", "unknown", "dropped", "flight", "b0", "b1", "b2", "b3"])
    colours[name] = style.getPropertyValue("--" + name).trim();
  colours.rgb = Object.fromEntries(["grid", "sent", "throttled"].map(name => [name, rgb(colours[name])]));
}
function rgb(hex) {
  const long = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, c => c + c) : hex;
  return [1, 3, 5].map(at => parseInt(long.slice(at, at + 2), 16));
}
const mixed = (a, b, t) => a.map((c, at) => Math.round(c + (b[at] - c) * t));

/** A canvas as sharp as the screen, and its size in CSS pixels. */
function sheet(canvas) {
  const { clientWidth: w, clientHeight: h } = canvas, scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(w * scale) || canvas.height !== Math.round(h * scale)) {
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, w, h);
  pen.font = "11px " + getComputedStyle(canvas).fontFamily;
  return { pen, w, h };
}

const LEFT = 50, RIGHT = 8, TOP = 8, BOTTOM = 20;

/** Where a moment stands, from left to right. */
function across(frame, w) {
  const { begin, end } = frame;
  return at => LEFT + (at - begin) / (end - begin) * (w - LEFT - RIGHT);
}

/** A round number at or above. */
function ceiling(n) {
  if (n <= 0) return 1;
  const ten = 10 ** Math.floor(Math.log10(n));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(step => step * ten).find(step => step >= n * 0.999);
}

/** Grid, words at the axes, marks. `ticks`: [height 0 to 1, words]. */
function axes({ pen, w, h }, frame, ticks, marks) {
  const x = across(frame, w), high = h - TOP - BOTTOM;
  pen.lineWidth = 1;
  pen.strokeStyle = colours.grid;
  pen.fillStyle = colours.quiet;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const [at, words] of ticks) {
    const y = Math.round(TOP + high * (1 - at)) + 0.5;
    pen.beginPath();
    pen.moveTo(LEFT, y);
    pen.lineTo(w - RIGHT, y);
    pen.stroke();
    pen.fillText(words, LEFT - 7, y);
  }
  const long = frame.end - frame.begin;
  const step = [1e3, 5e3, 10e3, 30e3, 60e3, 300e3, 600e3, 1800e3, 3600e3, 4 * 3600e3, 12 * 3600e3, 86400e3]
    .find(step => long / step <= Math.max(3, (w - LEFT) / 90)) || 7 * 86400e3;
  pen.textBaseline = "top";
  pen.textAlign = "center";
  for (let at = Math.ceil(Math.max(0, frame.begin) / step) * step; at <= frame.end; at += step) {
    if (x(at) < LEFT + 12 || x(at) > w - RIGHT - 12) continue;
    pen.fillText(clock(at), x(at), h - BOTTOM + 6);
  }
  pen.strokeStyle = colours.quiet;
  pen.setLineDash([2, 3]);
  for (const [at] of marks) {
    if (at < frame.begin || at > frame.end) continue;
    pen.beginPath();
    pen.moveTo(x(at), TOP);
    pen.lineTo(x(at), h - BOTTOM);
    pen.stroke();
  }
  pen.setLineDash([]);
}

/** Nothing is drawn to the left of the axis. */
function inside({ pen, w, h }, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, w - LEFT - RIGHT, h);
  pen.clip();
  draw();
  pen.restore();
}

/** What a pointer or the arrow keys point at. */
function cross({ pen, h, w }, frame, at) {
  if (at === null) return;
  const x = across(frame, w)(at);
  pen.strokeStyle = colours.text;
  pen.globalAlpha = 0.5;
  pen.beginPath();
  pen.moveTo(x, TOP);
  pen.lineTo(x, h - BOTTOM);
  pen.stroke();
  pen.globalAlpha = 1;
}

const SERIES = ["sent", "due", "throttled", "unknown", "dropped", "failed"];

/** Rates as steps: what was sent as an area, all else as lines. Rows: { from, to, due, sent, … } in records. */
export function drawRates(canvas, rows, frame, marks, pointed) {
  const on = sheet(canvas), { pen, w, h } = on, x = across(frame, w), high = h - TOP - BOTTOM;
  const seen = rows.filter(row => row.to >= frame.begin);
  const rate = (row, name) => row[name] * 1000 / Math.max(1, row.to - row.from);
  let most = 0;
  for (const row of seen) for (const name of SERIES) most = Math.max(most, rate(row, name));
  const top = ceiling(most * 1.04);
  axes(on, frame, [0, 0.25, 0.5, 0.75, 1].map(part => [part, brief(part * top)]), marks);
  inside(on, () => {
    for (const name of SERIES) {
      if (name !== "sent" && name !== "due" && !seen.some(row => row[name])) continue;
      const way = new Path2D();
      seen.forEach((row, at) => {
        const y = TOP + high * (1 - rate(row, name) / top);
        if (at) way.lineTo(x(row.from), y); else way.moveTo(x(row.from), y);
        way.lineTo(x(row.to), y);
      });
      pen.strokeStyle = colours[name];
      pen.lineWidth = name === "due" ? 1 : 1.6;
      if (name === "sent" && seen.length) {
        const area = new Path2D(way);
        area.lineTo(x(seen[seen.length - 1].to), TOP + high);
        area.lineTo(x(seen[0].from), TOP + high);
        area.closePath();
        pen.fillStyle = colours.sent;
        pen.globalAlpha = 0.24;
        pen.fill(area);
        pen.globalAlpha = 1;
      }
      pen.setLineDash(name === "due" ? [4, 3] : []);
      pen.stroke(way);
      pen.setLineDash([]);
    }
  });
  cross(on, frame, pointed);
}

/** Percentiles as bands on a logarithmic scale. Rows: { from, to, times: [p50, p90, p99, most] } in microseconds. */
export function drawTimes(canvas, rows, frame, marks, pointed) {
  const on = sheet(canvas), { pen, w, h } = on, x = across(frame, w), high = h - TOP - BOTTOM;
  const seen = rows.filter(row => row.to >= frame.begin && row.times[3] > 0);
  let low = Infinity, most = 0;
  for (const { times } of seen) { low = Math.min(low, times[0]); most = Math.max(most, times[3]); }
  if (!seen.length) { low = 1e3; most = 1e5; }
  const bottom = Math.floor(Math.log10(low)), top = Math.max(bottom + 1, Math.ceil(Math.log10(most * 1.05)));
  const ticks = [];
  for (let ten = bottom; ten <= top; ten++) ticks.push([(ten - bottom) / (top - bottom), timed(10 ** ten)]);
  axes(on, frame, ticks, marks);
  const y = us => TOP + high * (1 - (Math.log10(Math.max(us, 10 ** bottom)) - bottom) / (top - bottom));
  inside(on, () => {
    for (const [band, under, over] of [["b3", 2, 3], ["b2", 1, 2], ["b1", 0, 1]]) {
      pen.fillStyle = colours[band];
      for (const { from, to, times } of seen) {
        const left = Math.floor(x(from)), right = Math.ceil(x(to));
        pen.fillRect(left, y(times[over]), right - left, Math.max(1, y(times[under]) - y(times[over])));
      }
    }
    pen.fillStyle = colours.b0;
    for (const { from, to, times } of seen) pen.fillRect(x(from), y(times[0]) - 0.8, x(to) - x(from) + 0.6, 1.6);
  });
  cross(on, frame, pointed);
}

/** The heat of shards: how busy beside the busiest, and which share was throttled. */
export function drawShards(canvas, heat, frame, pointed) {
  const on = sheet(canvas), { pen, w, h } = on, x = across(frame, w), high = h - TOP - BOTTOM;
  const rows = heat.names.length, seen = heat.columns.filter(column => column[1] >= frame.begin);
  axes(on, frame, rows ? [[1, "first"], [0, "last"]] : [], []);
  if (!rows) return;
  let most = 0;
  for (const [from, to, sent] of seen) for (const n of sent) most = Math.max(most, n / Math.max(1, to - from));
  const { grid, sent: green, throttled: amber } = colours.rgb, tall = high / rows, gap = tall > 6 ? 1 : 0;
  inside(on, () => {
    for (const [from, to, sent, throttled] of seen) {
      const left = Math.floor(x(from)), wide = Math.ceil(x(to)) - left;
      for (let row = 0; row < rows; row++) {
        const all = sent[row] + throttled[row];
        if (!all) continue;
        const busy = most ? Math.sqrt(Math.min(1, sent[row] / Math.max(1, to - from) / most)) : 0;
        const refused = throttled[row] / all;
        const cold = mixed(grid, green, busy);
        pen.fillStyle = `rgb(${refused ? mixed(cold, amber, 0.35 + 0.65 * refused) : cold})`;
        pen.fillRect(left, TOP + row * tall, wide, Math.max(1, tall - gap));
      }
    }
  });
  cross(on, frame, pointed);
}

/** The moment at a place of a canvas. */
export function momentAt(canvas, frame, x) {
  const w = canvas.clientWidth;
  return frame.begin + (x - LEFT) / (w - LEFT - RIGHT) * (frame.end - frame.begin);
}

const SVG = "http://www.w3.org/2000/svg";
function made(name, attributes, words) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  if (words !== undefined) one.textContent = words;
  return one;
}

/** The ledger as a flow: due → dropped | generated → sent | failed | unknown | in flight. */
export function drawFlow(svg, counts) {
  const W = 480, H = 300, THICK = 11, GAP = 15, LEAST = 2.5, due = Math.max(1, counts.due);
  const last = ["sent", "in_flight", "failed", "unknown", "dropped"];
  const words = { sent: "sent", in_flight: "in flight", failed: "failed", unknown: "unknown", dropped: "dropped" };
  const room = H - GAP * (last.length - 1) - 16;
  const tall = n => n ? Math.max(LEAST, room * n / due) : 0;
  // Nodes at the right first: their heights, with the least ones made up for by the tallest.
  const heights = Object.fromEntries(last.map(name => [name, tall(counts[name])]));
  const over = last.reduce((sum, name) => sum + heights[name], 0) - room;
  const widest = last.reduce((a, b) => heights[a] >= heights[b] ? a : b);
  if (over > 0) heights[widest] = Math.max(LEAST, heights[widest] - over);
  const inner = last.slice(0, 4).reduce((sum, name) => sum + heights[name], 0);
  const all = inner + heights.dropped, X = [0, 178, 330], Y0 = 8;
  const parts = [];
  const node = (x, y, high, colour) => { if (high) parts.push(made("rect", { x, y, width: THICK, height: high, rx: 2, fill: `var(--${colour})` })); };
  const ribbon = (x0, y0, x1, y1, high, colour) => {
    if (!high) return;
    const a = x0 + THICK, m = (a + x1) / 2;
    parts.push(made("path", {
      d: `M${a} ${y0}C${m} ${y0} ${m} ${y1} ${x1} ${y1}V${y1 + high}C${m} ${y1 + high} ${m} ${y0 + high} ${a} ${y0 + high}Z`,
      fill: `var(--${colour})`, opacity: 0.28,
    }));
  };
  node(X[0], Y0, all, "due");
  node(X[1], Y0, inner, "due");
  ribbon(X[0], Y0, X[1], Y0, inner, "due");
  let y = Y0, from = Y0;
  for (const name of last) {
    const high = heights[name], colour = name === "in_flight" ? "flight" : name;
    if (name === "dropped") ribbon(X[0], Y0 + inner, X[2], y, high, colour);
    else { ribbon(X[1], from, X[2], y, high, colour); from += high; }
    node(X[2], y, high, colour);
    const middle = Math.max(y + high / 2, Y0 + 6);
    parts.push(made("text", { x: X[2] + THICK + 8, y: middle + 4, fill: counts[name] ? "var(--text)" : "var(--quiet)" },
      `${words[name]} ${brief(counts[name])}`));
    y += Math.max(high, 2) + GAP;
  }
  for (const [at, name] of [[0, "due"], [1, "generated"]])
    parts.push(made("text", { x: X[at] + THICK + 7, y: Y0 + Math.max(inner, 14) / 2 + 4, fill: "var(--text)" }, `${name} ${brief(counts[name])}`));
  svg.replaceChildren(...parts);
}
