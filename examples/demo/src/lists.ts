import type { Api, Upload } from './api.ts';
import { orderFile, type ShopUrls } from './orders.ts';
import { type RecipientFile, recipientFile } from './recipients.ts';

/** A list that was handed in. */
export interface HandedIn {
  readonly batchId: string;
  readonly upload: Upload;
}

/** What all emails have in common; `{{ … }}` differs. */
const EMAIL_DEFAULTS = {
  from: { address: 'news@example.com', name: 'Example News' },
  subject: '{{ first_name }}, we open in {{ city }}',
  html: '<p>Dear {{ first_name }},</p><p>our shop in <b>{{ city }}</b> opens on Monday.</p>',
};

/** Far less than the ten seconds that a shop may take by default. */
const WEBHOOK_DEFAULTS = { timeoutMs: 2_000 };

/** Hands in the recipients as CSV. The column `email` is the field `to`; the others become variables. */
export async function handInEmails(api: Api, jobs: number): Promise<HandedIn & { file: RecipientFile }> {
  const file = recipientFile(jobs);
  const { id } = await api.createBatch({
    type: 'email',
    name: 'Opening',
    defaults: EMAIL_DEFAULTS,
    dedupeBy: 'to',
  });
  const upload = await api.upload(id, { type: 'text/csv', text: file.csv }, '?map.email=to');
  return { batchId: id, upload, file };
}

/** Hands in the orders as NDJSON. */
export async function handInWebhooks(api: Api, jobs: number, urls: ShopUrls): Promise<HandedIn> {
  const { id } = await api.createBatch({ type: 'webhook', name: 'Orders', defaults: WEBHOOK_DEFAULTS });
  const upload = await api.upload(id, { type: 'application/x-ndjson', text: orderFile(jobs, urls) });
  return { batchId: id, upload };
}
