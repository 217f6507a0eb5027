import type { EmailPayload } from '../payload.ts';
import type { PlainText } from './plain-text.ts';

/** The texts of a message; at least one of them is not empty. */
export interface Bodies {
  readonly text?: string;
  readonly html?: string;
}

/** The texts of a payload, the plain one made from the HTML if there is none. */
export function bodiesOf({ text, html }: EmailPayload, plainText: PlainText): Bodies {
  // Half of a surrogate pair has no UTF-8 form.
  if (!html) return { text: (text ?? '').toWellFormed() };
  return { text: (text || plainText(html)).toWellFormed(), html: html.toWellFormed() };
}

/** The same with line ends as a message has them: CRLF (RFC 5322, section 2.3). */
export function withCrlf({ text, html }: Bodies): Bodies {
  return {
    ...(text === undefined ? {} : { text: crlf(text) }),
    ...(html === undefined ? {} : { html: crlf(html) }),
  };
}

const crlf = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');
