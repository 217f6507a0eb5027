const URL_IN_TEXT = /\b([a-z][a-z0-9+.-]*):\/\/[^\s"'<>]+/gi;

/**
 * Takes out of a text what must not be kept: of each URL only scheme and host stay (credentials,
 * path and query go), line breaks become spaces, and the rest is cut to `maxLength` characters.
 */
export function scrubText(text: string, maxLength = 300): string {
  const clean = text.replace(URL_IN_TEXT, (url, scheme: string) => {
    const host = URL.parse(url)?.host;
    return host === undefined || host === '' ? `${scheme}://…` : `${scheme}://${host}`;
  });
  return clean.replace(/\s+/g, ' ').trim().slice(0, maxLength);
}
