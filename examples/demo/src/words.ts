/** A number as people write it: `2,000`. */
export const number = (value: number): string => value.toLocaleString('en-US');

/** `1 email`, `2,000 emails`. */
export const count = (value: number, noun: string): string =>
  `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
