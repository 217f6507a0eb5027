/** A figure of the verdict; `broken` if a promise is. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly broken: boolean;
}

/** A figure; with `measured` and `limit`, whether it is too high. */
export function figure(name: string, value: number | string, measured = 0, limit = Number.MAX_VALUE): Figure {
  return { name, value: String(value), broken: measured > limit };
}
