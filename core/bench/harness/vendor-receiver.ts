import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Three vendors in one process of its own, as far as a success needs them: Twilio's messages, Resend's
 * batches and HubSpot's batches. Each takes everything and counts what it took. Its argument is the number of
 * milliseconds after which it answers.
 */
let received = 0;
const delayMs = Number(process.argv[2]);

type Answer = readonly [status: number, body: unknown];

/** https://www.twilio.com/docs/messaging/api/message-resource */
function twilio(text: string): Answer {
  const form = new URLSearchParams(text);
  received += 1;
  const sid = `SM${randomBytes(16).toString('hex')}`;
  const to = form.get('To');
  return [201, { sid, status: 'queued', to, num_segments: '1', error_code: null, error_message: null }];
}

/** https://resend.com/docs/api-reference/emails/send-batch-emails */
function resend(text: string): Answer {
  const mails = JSON.parse(text) as unknown[];
  received += mails.length;
  return [200, { data: mails.map(() => ({ id: randomUUID() })), errors: [] }];
}

interface Input {
  readonly objectWriteTraceId?: string;
  readonly properties: object;
}

/** https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide */
function hubspot(text: string): Answer {
  const { inputs } = JSON.parse(text) as { inputs: Input[] };
  const at = new Date().toISOString();
  const results = inputs.map(({ properties, objectWriteTraceId }) => ({
    id: String(++received),
    properties,
    createdAt: at,
    updatedAt: at,
    archived: false,
    objectWriteTraceId,
  }));
  return [201, { status: 'COMPLETE', results, startedAt: at, completedAt: at }];
}

function answerTo(path: string, text: string): Answer {
  if (path.endsWith('/Messages.json')) return twilio(text);
  if (path === '/emails/batch') return resend(text);
  if (path.endsWith('/batch/create')) return hubspot(text);
  return [404, { message: `Nothing at ${path}` }];
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const [status, answer] = answerTo(request.url ?? '', Buffer.concat(chunks).toString());
    const body = Buffer.from(JSON.stringify(answer));
    const say = () => {
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    };
    if (delayMs > 0) setTimeout(say, delayMs);
    else say();
  });
});
server.keepAliveTimeout = 60_000;

server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

/** Asked for the count, it answers it and starts again from 0. */
process.on('message', () => {
  process.send?.({ received });
  received = 0;
});
