import PostalMime, { type Email } from 'postal-mime';

/** One recipient of a delivery status notification (RFC 3464, section 2.3). */
export interface DsnRecipient {
  /** As the report gives it. */
  readonly address: string;
  readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  /** An enhanced code (RFC 3463), such as `5.1.1`. */
  readonly status: string;
}

/** A delivery status notification, as far as it tells what became of a message of ours. */
export interface Dsn {
  /** Of the message that the report is about; undefined if the report does not return its headers. */
  readonly messageId: string | undefined;
  /** Of the report itself. */
  readonly reportId: string | undefined;
  /** Addresses to which the report was sent. */
  readonly to: readonly string[];
  readonly date: string | undefined;
  readonly recipients: readonly DsnRecipient[];
}

/** Parts are nested three or four deep in real reports; more is somebody's joke. */
const LIMITS = { maxNestingDepth: 20, maxHeadersSize: 500_000, forceRfc822Attachments: true } as const;

/** Reads a report. Undefined for a message that is none. */
export async function parseDsn(raw: Uint8Array): Promise<Dsn | undefined> {
  const email = await PostalMime.parse(raw, LIMITS).catch(() => undefined);
  const status = email === undefined ? undefined : partOf(email, /^message\/(global-)?delivery-status$/);
  if (email === undefined || status === undefined) return undefined;
  // The message comes back whole, or only its headers (RFC 3462, section 2).
  const returned =
    partOf(email, /^(message\/(rfc822|global)|(text|message)\/(rfc822|global)-headers)$/) ?? '';
  return {
    messageId: fieldsOf(headersOf(returned)).get('message-id'),
    reportId: email.messageId,
    to: (email.to ?? []).flatMap(({ address }) => address ?? []),
    date: email.date,
    recipients: recipientsOf(status),
  };
}

function partOf({ attachments }: Email, type: RegExp): string | undefined {
  const part = attachments.find(({ mimeType }) => type.test(mimeType.toLowerCase()));
  if (part === undefined) return undefined;
  return typeof part.content === 'string' ? part.content : new TextDecoder().decode(part.content);
}

const headersOf = (message: string): string => message.split(/\r?\n\r?\n/, 1)[0] ?? '';

/** Fields of a message about all recipients come first, then a group for each of them (RFC 3464, section 2.1). */
function recipientsOf(status: string): DsnRecipient[] {
  return status.split(/\r?\n(?:[ \t]*\r?\n)+/).flatMap((group) => {
    const fields = fieldsOf(group);
    const action = fields.get('action')?.toLowerCase() ?? '';
    const code = /^[245]\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0];
    const address = addressOf(fields.get('original-recipient')) ?? addressOf(fields.get('final-recipient'));
    if (!ACTIONS.has(action) || code === undefined || address === undefined) return [];
    return [{ address, action: action as DsnRecipient['action'], status: code }];
  });
}

const ACTIONS: ReadonlySet<string> = new Set(['failed', 'delayed', 'delivered', 'relayed', 'expanded']);

/** `rfc822; ada@example.com`, RFC 3464, section 2.1.2, or `utf-8; …`, RFC 6533, section 3. */
const addressOf = (field: string | undefined): string | undefined =>
  /^(?:rfc822|utf-8)\s*;\s*(\S+)\s*$/i.exec(field ?? '')?.[1];

/** Fields by lower-case name, folded lines joined; of several with one name the first. */
function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (name !== '' && !fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}
