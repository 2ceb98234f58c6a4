// Numbers as people read them. Each returns text; `–` stands for what is not known.

const NONE = "–";
const grouping = new Intl.NumberFormat("en");

/** A whole number with its thousands set apart. */
export function count(number) {
  return Number.isFinite(number) ? grouping.format(Math.round(number)) : NONE;
}

/** A rate: whole from 100 to 9,999, beyond that in thousands and millions, three digits. */
export function rate(number) {
  if (!Number.isFinite(number)) return NONE;
  if (number >= 999.5e6) return `${digits(number / 1e9)} G`;
  if (number >= 999.5e3) return `${digits(number / 1e6)} M`;
  if (number >= 9999.5) return `${digits(number / 1e3)} k`;
  return number >= 99.95 ? count(number) : small(number);
}

/** Bytes in the largest unit of which there is one, three digits, whole where that is exact. */
export function bytes(number) {
  if (!Number.isFinite(number)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (number >= 1024 && unit < units.length - 1) {
    number /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(number) ? count(number) : digits(number)} ${units[unit]}`;
}

/** Seconds in the largest unit of which there is one, two digits, as they were measured. */
export function seconds(number) {
  if (!Number.isFinite(number)) return NONE;
  if (number === 0) return "0";
  if (number >= 1) return `${two(number)} s`;
  return number >= 1e-3 ? `${two(number * 1e3)} ms` : `${two(number * 1e6)} µs`;
}

/** Of 100: never shown as all or nothing when it is not. */
export function percent(number) {
  if (!Number.isFinite(number)) return NONE;
  if (number === 100 || number === 0) return `${number} %`;
  const shown = Math.min(99.99, Math.max(0.01, number));
  return `${shown.toFixed(shown >= 99 || shown < 1 ? 2 : 1)} %`;
}

/** How long a server has been up, in two units. */
export function age(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = Math.max(0, units.findIndex(([, size]) => seconds >= size));
  if (seconds < 1) return "0 s";
  const parts = units.slice(first, first + 2).map(([name, size], i) => {
    const whole = Math.floor(i ? (seconds % units[first][1]) / size : seconds / size);
    return whole || !i ? `${whole} ${name}` : "";
  });
  return parts.filter(Boolean).join(" ");
}

function digits(number) {
  if (number >= 99.95) return number.toFixed(0);
  return number.toFixed(number >= 9.995 ? 1 : 2);
}

function two(number) {
  return number >= 9.95 ? number.toFixed(0) : number.toFixed(1);
}

function small(number) {
  if (number === 0) return "0";
  return number >= 9.95 ? number.toFixed(0) : number.toFixed(1);
}
