// From counts to rates: what happened between two snapshots of /metrics.json.

/** Ways a get may go, each with its name and how to count it in a pool's figures. */
export const PATHS = [
  ["By core", "--blue", (pool) => sum(pool, "gets_cell")],
  ["By depot", "--teal", (pool) => sum(pool, "gets_depot")],
  ["Made", "--orange", (pool) => pool.total_misses],
  ["Beyond classes", "--gold", (pool) => pool.oversize_gets],
  ["Refused", "--red", (pool) => pool.refused],
];

/** Whether `now` is of the same run of the same server as `before`, and later. */
export function follows(before, now) {
  const sizes = (snapshot) => snapshot.pool.pools.map((it) => it.size).join();
  return now.uptime_seconds > before.uptime_seconds && sizes(before) === sizes(now);
}

/** All rates between two snapshots, per second. */
export function rates(before, now) {
  const elapsed = now.uptime_seconds - before.uptime_seconds;
  const per = (count) => Math.max(0, count(now) - count(before)) / elapsed;
  const gets = per((it) => it.pool.total_gets);
  const hits = per((it) => it.pool.total_hits);
  return {
    gets: gets + per((it) => it.pool.oversize_gets),
    hitRate: gets > 0 ? (hits / gets) * 100 : NaN,
    requests: per((it) => it.server.requests_total),
    refused: per((it) => it.pool.refused),
    paths: PATHS.map(([, , count]) => per((it) => count(it.pool))),
    classes: now.pool.pools.map((_, i) => ({
      gets: per((it) => it.pool.pools[i].gets),
      made: per((it) => it.pool.pools[i].misses),
    })),
  };
}

/** Of one field, over all classes. */
export function sum(pool, field) {
  return pool.pools.reduce((total, it) => total + it[field], 0);
}
