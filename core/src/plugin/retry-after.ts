/** Longest wait that `parseRetryAfter` answers: 24 hours. */
export const RETRY_AFTER_CAP_MS = 86_400_000;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// The three forms of HTTP-date (RFC 9110, section 5.6.7). `Date.parse` is no help: it reads the
// third form as local time, and takes "tomorrow 5" for a date.
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or an HTTP date.
 *
 * Answers milliseconds from `nowMs` (epoch milliseconds), at least 0 and at most
 * {@link RETRY_AFTER_CAP_MS}; undefined if the header is absent or is neither of the two.
 */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  if (value === null || value === undefined) return undefined;
  const text = value.trim();
  if (/^-?\d+$/.test(text)) return clamp(Number(text) * 1_000);
  const atMs = parseHttpDate(text, nowMs);
  return atMs === undefined ? undefined : clamp(atMs - nowMs);
}

function parseHttpDate(text: string, nowMs: number): number | undefined {
  const fix = IMF_FIXDATE.exec(text);
  if (fix !== null) return utc(fix[3], fix[2], fix[1], fix.slice(4, 7));
  const old = RFC_850.exec(text);
  if (old !== null) return utc(fullYear(Number(old[3]), nowMs), old[2], old[1], old.slice(4, 7));
  const c = ASCTIME.exec(text);
  if (c !== null) return utc(c[6], c[1], c[2], c.slice(3, 6));
  return undefined;
}

/** Two digits mean the year that is at most 50 years ahead (RFC 9110, section 5.6.7). */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function utc(
  year: string | number | undefined,
  monthName: string | undefined,
  day: string | undefined,
  time: readonly string[],
): number | undefined {
  const month = MONTHS.indexOf(monthName ?? '');
  const [hour = Number.NaN, minute = Number.NaN, second = Number.NaN] = time.map(Number);
  const dayOfMonth = Number(day);
  if (month < 0 || dayOfMonth < 1 || dayOfMonth > 31 || hour > 23 || minute > 59 || second > 60)
    return undefined;
  return Date.UTC(Number(year), month, dayOfMonth, hour, minute, second);
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), RETRY_AFTER_CAP_MS);
}
