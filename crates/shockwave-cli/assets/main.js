// The dashboard: puts each snapshot where it belongs on the page.

import { makeCharts } from "./charts.js";
import { feed } from "./feed.js";
import * as format from "./format.js";
import { follows, rates, sum } from "./rates.js";
import { fill } from "./table.js";

/** Snapshots that the rates on the tiles and in the table are taken over: ten seconds. */
const STEADY = 10;

const STATES = { live: "Live", paused: "Paused", reconnecting: "Reconnecting", connecting: "Connecting" };

const $ = (id) => document.getElementById(id);

/** Snapshots of the server's present run, oldest first. */
let past = [];
/** When the latest snapshot on the charts was taken. */
let newest = 0;
let charts = null;
let state = "connecting";
let isPaused = false;

function show(snapshot) {
  if (isPaused) return;
  const last = past.at(-1);
  if (last && !follows(last, snapshot)) {
    charts?.push(snapshot.time - 0.5, null, null);
    if (last.pool.pools.length !== snapshot.pool.pools.length) charts = null;
    past = [];
  }
  charts ??= makeCharts($("charts"), snapshot);
  const before = past.at(-1);
  charts.push(snapshot.time, snapshot, before ? rates(before, snapshot) : null);
  past.push(snapshot);
  newest = snapshot.time;
  if (past.length > STEADY + 1) past.shift();
  const steady = past.length > 1 ? rates(past[0], snapshot) : null;
  tiles(snapshot, steady);
  memory(snapshot.pool);
  fill($("classes"), $("totals"), snapshot, steady);
  $("about").textContent = `${snapshot.version} · up ${format.age(snapshot.uptime_seconds)}`;
}

function tiles({ pool, server }, steady) {
  const gets = pool.total_gets + pool.oversize_gets;
  put("gets", format.rate(steady?.gets), "/s");
  const byCore = gets ? (sum(pool, "gets_cell") / gets) * 100 : NaN;
  note("gets", gets ? `${format.percent(byCore)} by core` : "none yet");

  const overall = pool.total_gets ? pool.global_hit_rate : NaN;
  const recent = Number.isFinite(steady?.hitRate) ? steady.hitRate : overall;
  put("hit-rate", ...split(format.percent(recent)));
  const health = recent >= 95 ? "good" : recent >= 80 ? "fair" : "poor";
  $("hit-rate").dataset.health = Number.isFinite(recent) ? health : "";
  const advice = { good: "healthy", fair: "try more warm-up", poor: "check the classes' sizes" };
  note("hit-rate", Number.isFinite(recent) ? `${advice[health]} · ${format.percent(overall)} ever` : "");

  put("in-use", ...split(format.bytes(pool.in_use_bytes)));
  note("in-use", pool.budget_bytes ? `of ${format.bytes(pool.budget_bytes)}` : "without a budget");

  put("waiters", format.count(pool.waiters ?? 0));
  $("waiters").dataset.health = pool.waiters ? "fair" : "";
  note("waiters", `${format.count(pool.refused)} refused`);

  const { open, idle, active } = server.connections;
  put("connections", format.count(open));
  note("connections", `${format.count(active)} active · ${format.count(idle)} idle`);

  put("requests", format.rate(steady?.requests), "/s");
  note("requests", `99 % within ${format.seconds(server.latency_seconds.p99 ?? NaN)}`);
}

function memory(pool) {
  const held = pool.in_use_bytes + pool.idle_bytes;
  const whole = Math.max(pool.budget_bytes || 0, held, 1);
  const parts = [["In use", pool.in_use_bytes, "--blue"], ["Idle", pool.idle_bytes, "--teal"]];
  if (pool.budget_bytes) parts.push(["Left of the budget", Math.max(0, whole - held), "--track"]);
  const bar = $("memory-bar");
  parts.slice(0, 2).forEach(([, bytes], i) => {
    bar.children[i].style.width = `${(bytes / whole) * 100}%`;
  });
  const told = parts.map(([name, bytes]) => `${name} ${format.bytes(bytes)}`).join(", ");
  bar.setAttribute("aria-label", told);
  const legend = $("memory-legend");
  parts.forEach(([name, bytes, color], i) => {
    const item = legend.children[i] ?? legend.appendChild(document.createElement("li"));
    const value = document.createElement("b");
    value.textContent = format.bytes(bytes);
    item.style.setProperty("--series", `var(${color})`);
    item.replaceChildren(name, " ", value);
  });
  while (legend.children.length > parts.length) legend.lastChild.remove();
}

/** A value and its unit, which is smaller. */
function put(id, value, unit = "") {
  const small = document.createElement("small");
  small.textContent = unit;
  $(id).replaceChildren(value, ...(unit ? [small] : []));
}

function note(id, text) {
  $(`${id}-note`).textContent = text;
}

/** `12 MiB` as `12` and `MiB`. */
function split(text) {
  const at = text.lastIndexOf(" ");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function tell() {
  const shown = isPaused && state === "live" ? "paused" : state;
  if ($("status").dataset.state === shown) return;
  $("status").dataset.state = shown;
  $("main").dataset.stale = String(shown === "reconnecting");
  $("status").textContent = STATES[shown];
}

$("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  $("pause").textContent = isPaused ? "Resume" : "Pause";
  // What was missed is a gap in the lines, and in no rate.
  if (past.length) charts.push(past.at(-1).time + 0.5, null, null);
  past = [];
  tell();
});

/** Shows of the past what is not on the charts already, as after an interruption. */
function showPast(snapshots) {
  snapshots.filter((it) => it.time > newest).forEach(show);
}

feed(showPast, show, (next) => {
  state = next;
  tell();
});
