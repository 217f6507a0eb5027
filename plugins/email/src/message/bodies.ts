import type { EmailPayload } from '../payload.ts';
import type { PlainText } from './plain-text.ts';

/** The texts of a message; at least one of them is not empty. */
export interface Bodies {
  readonly text?: string;
  readonly html?: string;
}

/** The texts of a payload, the plain one made from the HTML if there is none. */
export function bodiesOf({ text, html }: EmailPayload, plainText: PlainText): Bodies {
  if (!html) return { text: lines(text) };
  return { text: lines(text || plainText(html)), html: lines(html) };
}

// Lines end with CRLF (RFC 5322, section 2.3), and half of a surrogate pair has no UTF-8 form.
const lines = (text = ''): string => text.replace(/\r\n?|\n/g, '\r\n').toWellFormed();
