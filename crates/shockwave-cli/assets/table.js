// The table: a row for each class, one for what is beyond them, and one for all.

import { bytes, count, percent, rate } from "./format.js";
import { sum } from "./rates.js";

/** Fills the table; rows stay where they are and only their text changes. */
export function fill(body, foot, snapshot, rates) {
  const { pool } = snapshot;
  const rows = pool.pools.map((it, i) => [
    bytes(it.size), rate(rates?.classes[i].gets), rate(rates?.classes[i].made),
    it.gets ? percent(it.hit_rate) : "–", count(it.gets), count(it.gets_cell),
    count(it.gets_depot), count(it.misses), count(it.refused), count(it.in_use), count(it.idle),
    bytes(it.created * it.size),
  ]);
  const all = (field) => sum(pool, field);
  rows.push([
    "Larger", rate(rates?.paths[3]), rate(rates?.paths[3]), "–", count(pool.oversize_gets), "–",
    "–", count(pool.oversize_gets), count(pool.refused - all("refused")),
    count(pool.oversize_gets - pool.oversize_puts), "–", bytes(pool.oversize_in_use_bytes),
  ]);
  write(body, rows, pool.pools.map((it) => it.gets > 0).concat(pool.oversize_gets > 0));
  const gets = pool.total_gets + pool.oversize_gets;
  const hitRate = pool.total_gets ? percent(pool.global_hit_rate) : "–";
  write(foot, [[
    "All", rate(rates?.gets), rate(rates ? rates.paths[2] + rates.paths[3] : NaN),
    hitRate, count(gets), count(all("gets_cell")),
    count(all("gets_depot")), count(pool.total_misses + pool.oversize_gets), count(pool.refused),
    count(all("in_use") + pool.oversize_gets - pool.oversize_puts), count(all("idle")),
    bytes(pool.in_use_bytes + pool.idle_bytes),
  ]], [true]);
}

function write(section, rows, used) {
  while (section.rows.length > rows.length) section.deleteRow(-1);
  rows.forEach((texts, y) => {
    const row = section.rows[y] ?? section.insertRow();
    row.className = used[y] ? "" : "quiet";
    texts.forEach((text, x) => {
      let cell = row.cells[x];
      if (!cell) {
        cell = document.createElement(x ? "td" : "th");
        if (!x) cell.scope = "row";
        row.append(cell);
      }
      if (cell.textContent !== text) cell.textContent = text;
    });
  });
}
