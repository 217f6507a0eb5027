/** Of 200 in a row, each kind gets so many. */
export type Shares<K extends string> = Readonly<Record<K, number>>;

const ROUND = 200;

/** No divisor in common with 200, so that a round meets each place once, and the kinds lie mixed. */
const STRIDE = 77;

/** The kind of the job at `index`: the same in each run. The shares must add up to 200. */
export function kindAt<K extends string>(shares: Shares<K>, index: number): K {
  let left = (index * STRIDE) % ROUND;
  for (const [kind, share] of Object.entries(shares) as [K, number][]) {
    if (left < share) return kind;
    left -= share;
  }
  throw new Error(`The shares add up to less than ${ROUND}`);
}

/** How many of `total` are of this kind. */
export function countOf<K extends string>(shares: Shares<K>, kind: K, total: number): number {
  let count = 0;
  for (let index = 0; index < total; index++) if (kindAt(shares, index) === kind) count++;
  return count;
}
