// The charts: two minutes of each figure, drawn by uPlot, and told in words beside.

import * as format from "./format.js";
import { PATHS } from "./rates.js";

/* global uPlot */

/** Seconds that a chart shows. */
const SPAN = 120;
const SPLITS = [[120, "2 min"], [90, "90 s"], [60, "60 s"], [30, "30 s"], [0, "now"]];

/** How often the words for those who do not see the lines are put anew, in snapshots. */
const WORDS_EVERY = 10;

/** Series that are drawn only when there is something to see. */
const RARE = new Set(["Made", "Beyond classes", "Refused", "Waiters"]);

/** The charts that a snapshot calls for. A series is its name, its color and where its value is. */
function charts(snapshot) {
  const classes = snapshot.pool.pools;
  const hue = (i) => Math.round(250 + (i * 230) / classes.length) % 360;
  const hasBudget = snapshot.pool.budget_bytes > 0;
  return [
    {
      title: "Gets by class", unit: "per second", show: format.rate,
      series: classes.map((it, i) => [format.bytes(it.size), hue(i), (_, r) => r?.classes[i].gets]),
    },
    {
      title: "Gets by path", unit: "per second", show: format.rate,
      series: PATHS.map(([name, color], i) => [name, color, (_, r) => r?.paths[i]]),
    },
    {
      title: "Hit rate", unit: "each second", show: format.percent, top: 100,
      series: [["All classes", "--blue", (_, r) => r?.hitRate]],
    },
    {
      title: "In use and idle", unit: "bytes", show: format.bytes, binary: true,
      series: [
        ["In use", "--blue", (s) => s.pool.in_use_bytes],
        ["Idle", "--teal", (s) => s.pool.idle_bytes],
        ...(hasBudget ? [["Budget", "--red", (s) => s.pool.budget_bytes]] : []),
      ],
    },
    {
      title: "Connections", unit: "and waiters", show: format.count, whole: true,
      series: [
        ["Active", "--blue", (s) => s.server.connections.active],
        ["Idle", "--teal", (s) => s.server.connections.idle],
        ["Waiters", "--red", (s) => s.pool.waiters ?? 0],
      ],
    },
    {
      title: "Latency", unit: "of the last ten seconds", show: format.seconds,
      series: [
        ["p50", "--blue", (s) => s.server.latency_seconds.p50],
        ["p90", "--teal", (s) => s.server.latency_seconds.p90],
        ["p99", "--orange", (s) => s.server.latency_seconds.p99],
      ],
    },
  ];
}

/** All charts in `place`, for snapshots like `snapshot`. */
export function makeCharts(place, snapshot) {
  const made = charts(snapshot).map((chart) => makeChart(chart));
  place.replaceChildren(...made.map((it) => it.figure));
  made.forEach((it) => it.draw());
  const resized = new ResizeObserver(() => made.forEach((it) => it.fit()));
  resized.observe(place);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", () => made.forEach((it) => it.draw()));
  return {
    push: (time, now, rates) => made.forEach((it) => it.push(time, now, rates)),
  };
}

function makeChart(chart) {
  const figure = element("figure", "chart");
  const caption = element("figcaption");
  const legend = element("ul", "legend");
  const plot = element("div", "plot");
  const values = chart.series.map(([name]) => {
    const item = element("li", "", `${name} `);
    const value = element("b", "", "–");
    item.append(value);
    legend.append(item);
    return value;
  });
  caption.append(element("h3", "", chart.title), element("span", "", chart.unit), legend);
  figure.append(caption, plot);
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${chart.title}: no figures yet`);

  const data = [[], ...chart.series.map(() => [])];
  let drawn = null;
  let pushed = 0;

  const tell = (at) => values.forEach((value, i) => {
    value.textContent = chart.show(data[i + 1][at] ?? NaN);
  });

  const window = () => {
    const now = data[0].at(-1) ?? 0;
    return { min: now - SPAN, max: now };
  };

  return {
    figure,
    draw() {
      drawn?.destroy();
      const colors = chart.series.map(([, color]) => resolve(color));
      colors.forEach((color, i) => legend.children[i].style.setProperty("--series", color));
      const size = { width: plot.clientWidth, height: plot.clientHeight };
      const onCursor = (u) => tell(u.cursor.idx ?? data[0].length - 1);
      drawn = new uPlot({ ...options(chart, colors, onCursor), ...size }, data, plot);
      drawn.setScale("x", window());
    },
    fit() {
      drawn.setSize({ width: plot.clientWidth, height: plot.clientHeight });
    },
    push(time, now, rates) {
      data[0].push(time);
      chart.series.forEach(([, , value], i) => {
        const found = now ? value(now, rates) : null;
        data[i + 1].push(Number.isFinite(found) ? found : null);
      });
      while (data[0][0] < time - SPAN - 2) data.forEach((column) => column.shift());
      drawn.setData(data, false);
      drawn.setScale("x", window());
      // A line along the bottom says less than none, and would hide others.
      chart.series.forEach(([name], i) => {
        const isIdle = RARE.has(name) && !data[i + 1].some((it) => it > 0);
        if (drawn.series[i + 1].show === isIdle) drawn.setSeries(i + 1, { show: !isIdle });
      });
      if (drawn.cursor.idx == null) tell(data[0].length - 1);
      if (pushed++ % WORDS_EVERY === 0) plot.setAttribute("aria-label", words(chart, data));
    },
  };
}

/** What the lines say, for those who do not see them. */
function words(chart, data) {
  const told = chart.series.map(([name], i) => {
    const known = data[i + 1].filter((value) => value != null);
    if (!known.length) return `${name}: none`;
    const [low, high] = [Math.min(...known), Math.max(...known)].map(chart.show);
    return `${name}: now ${chart.show(known.at(-1))}, between ${low} and ${high}`;
  });
  return `${chart.title} ${chart.unit}, the last two minutes. ${told.join(". ")}`;
}

function options(chart, colors, onCursor) {
  const [soft, line] = [resolve("--soft"), resolve("--line")];
  const font = "11px system-ui, sans-serif";
  const axis = { stroke: soft, font, ticks: { show: false } };
  return {
    legend: { show: false },
    padding: [10, 16, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: "time" }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_, low, high) => range(chart, low, high) } },
    axes: [
      {
        ...axis, size: 26, gap: 8, grid: { show: false },
        splits: (u) => SPLITS.map(([ago]) => u.scales.x.max - ago),
        values: () => SPLITS.map(([, label]) => label),
      },
      {
        ...axis, size: 58, gap: 6, grid: { stroke: line, width: 1 },
        splits: (_u, _i, low, high) => ticks(chart, low, high),
        values: (_, splits) => splits.map((value) => chart.show(value)),
      },
    ],
    series: [{}, ...chart.series.map(([name], i) => ({
      label: name, stroke: colors[i], width: 1.75, points: { show: false }, spanGaps: false,
      fill: chart.series.length === 1 ? fade(colors[i]) : undefined,
      dash: name === "Budget" ? [5, 4] : undefined,
    }))],
    hooks: { setCursor: [onCursor] },
  };
}

/** From 0 up to a round number above what is there; a hit rate from a round number up to 100. */
function range(chart, low, high) {
  if (chart.top) {
    const below = Number.isFinite(low) ? low : chart.top;
    return [[99, 95, 90, 80, 50].find((floor) => below >= floor) ?? 0, chart.top];
  }
  if (!Number.isFinite(high) || high <= 0) return [0, chart.show === format.seconds ? 1e-3 : 1];
  const step = niceStep(chart, high / 3);
  return [0, step * Math.ceil(high / step)];
}

function ticks(chart, low, high) {
  const step = chart.top ? (high - low) / 2 : niceStep(chart, (high - low) / 3);
  const found = [];
  for (let at = low; at <= high + step / 1e6; at += step) found.push(at);
  return found;
}

/** The least of 1, 2 and 5 times a power of ten, or a power of two for bytes, above `least`. */
function niceStep(chart, least) {
  if (chart.binary) return 2 ** Math.ceil(Math.log2(Math.max(least, 1)));
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((it) => it >= least * 0.999);
  return chart.whole ? Math.max(1, step) : step;
}

/** A color of the page by its name, or one by its hue. */
function resolve(color) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  if (typeof color === "number") return `oklch(${dark ? 0.74 : 0.56} 0.14 ${color})`;
  return getComputedStyle(document.documentElement).getPropertyValue(color).trim();
}

function fade(color) {
  return color.startsWith("#") ? `${color}22` : undefined;
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
