import { join, resolve } from 'node:path';
import {
  defineProvider,
  failed,
  type JobResult,
  retry,
  type Static,
  Type,
  unknown,
  waited,
  whenEnded,
} from '@batchsender/core/plugin';
import { composeMessage, InvalidMessageError, type Message } from '../message/compose.ts';
import { plainTexts } from '../message/plain-text.ts';
import { EmailPayload } from '../payload.ts';
import { judgeRecipients } from '../smtp/judge-recipients.ts';
import { Outbox } from './outbox.ts';
import { LateReceipts } from './receipts.ts';
import { callRule, refusals } from './rules.ts';

/** Schema of the credentials of the provider `sandbox`. It works without any. */
export const SandboxCredentials = Type.Object(
  {
    folder: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Where the messages are kept. Default: sandbox/email in the data folder.',
      }),
    ),
    keep: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'How many of them. Default 1,000.' }),
    ),
    latencyMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 60_000, description: 'How long a message takes. Default 20.' }),
    ),
    receiptAfterMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 3_600_000,
        description: 'How long after a message its receipts come. Default 2,000.',
      }),
    ),
  },
  {
    additionalProperties: false,
    // The server shows this when it falls back to the sandbox.
    description:
      'It keeps what would have been sent, by default in sandbox/email of the data folder (BATCHSENDER_DATA, else ./.batchsender).',
  },
);

/** The credentials of the provider `sandbox`. */
export type SandboxCredentials = Static<typeof SandboxCredentials>;

const NEVER_ANSWERED = unknown('timeout', { message: 'The sandbox never answered' });

/** Reaches nobody, and keeps what would have been sent. */
export const sandbox = defineProvider({
  title: 'Sandbox (reaches nobody)',
  payload: EmailPayload,
  credentials: SandboxCredentials,
  guarantee: { kind: 'at-least-once' },
  concurrency: 50,
  open({ folder = defaultFolder(), keep = 1_000, latencyMs = 20, receiptAfterMs = 2_000 }, context) {
    const { logger } = context;
    if (keep > 0) logger.info({ folder: resolve(folder) }, 'the sandbox keeps its messages in this folder');
    const outbox = new Outbox(folder, keep);
    const plainText = plainTexts();
    const receipts = new LateReceipts((report) => context.report(report), receiptAfterMs);
    return {
      async process({ id, payload }, { idempotencyKey, attempt, signal }): Promise<JobResult> {
        let message: Message;
        try {
          message = await composeMessage(payload, { idempotencyKey, plainText });
        } catch (error) {
          if (!(error instanceof InvalidMessageError)) throw error;
          return failed(error.code, { message: error.message });
        }
        if (!(await waited(latencyMs, signal)))
          return retry('aborted', { message: 'The call ended before its message' });
        const rule = callRule(message, attempt);
        if (rule === 'stall') return whenEnded(signal, NEVER_ANSWERED);
        if (rule !== undefined) return rule;
        const result = judgeRecipients(message, refusals(message), {});
        if (result.status !== 'succeeded') return result;
        await outbox.put(message, idempotencyKey);
        receipts.plan(id, message);
        return result;
      },
      close: () => receipts.flush(),
    };
  },
});

/** Next to the embedded database, where the server keeps what is its own. */
function defaultFolder(): string {
  return join(process.env['BATCHSENDER_DATA'] || '.batchsender', 'sandbox', 'email');
}
