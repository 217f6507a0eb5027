/** A month of UUIDv7 keys: the first 48 bits are milliseconds since 1970. */
export interface MonthPartition {
  /** `y2026m11` */
  readonly suffix: string;
  readonly from: string;
  readonly to: string;
}

/** The month that `now` is in, and the `ahead` months behind it. */
export function monthPartitions(now: Date, ahead: number): MonthPartition[] {
  return Array.from({ length: ahead + 1 }, (_, offset) => {
    const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1);
    const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset + 1, 1);
    const first = new Date(start);
    const month = String(first.getUTCMonth() + 1).padStart(2, '0');
    return { suffix: `y${first.getUTCFullYear()}m${month}`, from: uuidFloor(start), to: uuidFloor(end) };
  });
}

/** The smallest UUID whose first 48 bits are this time. */
export function uuidFloor(timeMs: number): string {
  const hex = timeMs.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
