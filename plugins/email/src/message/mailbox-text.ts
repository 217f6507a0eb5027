import type { Mailbox } from '../address.ts';

/**
 * An address with its name as one text, such as `"Doe, Ada" <ada@example.com>`. The name is always
 * quoted (RFC 5322, section 3.2.4), so that nothing in it can become another address.
 */
export const mailboxText = ({ address, name }: Mailbox): string =>
  name === '' ? address : `"${name.replace(/["\\]/g, '\\$&')}" <${address}>`;
