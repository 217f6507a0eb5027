import { compile } from 'html-to-text';

/** Makes the plain text of an HTML message. */
export type PlainText = (html: string) => string;

/**
 * Makes plain texts. The last one is kept: the jobs of a batch often have the same HTML.
 * What is too deep or too long to be read is cut, so that no HTML can hold up a process.
 */
export function plainTexts(): PlainText {
  const convert = compile({
    wordwrap: 78,
    limits: { maxInputLength: 1_000_000, maxDepth: 100, maxChildNodes: 10_000, ellipsis: '…' },
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, ignoreHref: false } },
    ],
  });
  let last: { readonly html: string; readonly text: string } | undefined;
  return (html) => {
    if (last?.html !== html) last = { html, text: convert(html) };
    return last.text;
  };
}
