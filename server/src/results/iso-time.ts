/** Writes times as ISO 8601 with `Z`. Jobs of one flush share their time, so the last ones are remembered. */
export function isoTimes(): (time: Date) => string {
  const texts = new WeakMap<Date, string>();
  return (time) => {
    const known = texts.get(time);
    if (known !== undefined) return known;
    const text = time.toISOString();
    texts.set(time, text);
    return text;
  };
}
