/** Where a request goes. */
export interface Place {
  readonly origin: string;
  /** Path and query, as they go into the request line. */
  readonly path: string;
  /** The whole URL, without a fragment. */
  readonly href: string;
}

/** Places by URL. A batch mostly calls one URL, and parsing it is a tenth of our cost of a call. */
const known = new Map<string, Place>();
const MAX_KNOWN = 500;
const MAX_KNOWN_LENGTH = 500;

/** Reads where a call goes. Answers the place, or a sentence that says what is wrong with the URL. */
export function parsePlace(text: string, base?: Place): Place | string {
  const cached = base === undefined ? known.get(text) : undefined;
  if (cached !== undefined) return cached;
  const url = URL.parse(text, base?.href);
  if (url === null) return 'url must be absolute and valid, such as https://example.com/hook';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'url must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') {
    return 'url must not hold a user name or password: use auth of type basic';
  }
  url.hash = '';
  const place = { origin: url.origin, path: url.pathname + url.search, href: url.href };
  if (base === undefined && text.length <= MAX_KNOWN_LENGTH) remember(text, place);
  return place;
}

/** The origin that a URL leads to: what the circuit breaker goes by. */
export function originOf(url: string): string {
  const place = parsePlace(url);
  return typeof place === 'string' ? 'invalid' : place.origin;
}

/** The place with one more query parameter. */
export function withParameter(place: Place, name: string, value: string): Place {
  // Appended as text: `searchParams` would write the rest of the query anew.
  const path = `${place.path}${place.path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  return { origin: place.origin, path, href: place.origin + path };
}

function remember(text: string, place: Place): void {
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, place);
}
