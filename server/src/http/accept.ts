interface Range {
  readonly type: string;
  readonly quality: number;
}

/**
 * The offered content type that an Accept header likes best (RFC 9110, 12.5.1); among equals the
 * first offer. Without a header any will do. Undefined if none is acceptable.
 */
export function preferredType<T extends string>(
  accept: string | undefined,
  offers: readonly T[],
): T | undefined {
  const ranges = (accept?.trim() || '*/*').split(',').map(parseRange);
  let best: T | undefined;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality <= bestQuality) continue;
    best = offer;
    bestQuality = quality;
  }
  return best;
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return { type, quality: Number.isNaN(quality) ? 0 : quality };
}

/** The range that names the type most closely decides. */
function qualityOf(offer: string, ranges: readonly Range[]): number {
  const family = `${offer.split('/', 1)[0]}/*`;
  for (const name of [offer, family, '*/*']) {
    const found = ranges.find(({ type }) => type === name);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
