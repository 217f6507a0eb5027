import { createHash } from 'node:crypto';
import {
  defineProvider,
  type JobResult,
  retry,
  type Static,
  succeeded,
  Type,
  unknown,
  waited,
  whenEnded,
} from '@batchsender/core/plugin';
import { messageOf } from '../message.ts';
import { SmsPayload } from '../payload.ts';
import { later, receiptOf } from './receipts.ts';
import { callRule } from './rules.ts';

/** Schema of the credentials of the provider `sandbox`. It works without any. */
export const SandboxCredentials = Type.Object(
  {
    latencyMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60_000,
        description: 'How long a message takes, half as much more or less. Default 50.',
      }),
    ),
    receiptMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 600_000,
        description: 'How much later its receipt comes. Default 1,000.',
      }),
    ),
  },
  {
    additionalProperties: false,
    // The server shows this when it falls back to the sandbox.
    description: 'It counts segments and makes receipts as a provider would, and sends nothing.',
  },
);

/** The credentials of the provider `sandbox`. */
export type SandboxCredentials = Static<typeof SandboxCredentials>;

const NEVER_ANSWERED = unknown('timeout', { message: 'The sandbox never answered' });

/** Reaches nobody. What becomes of a message is decided by its numbers. */
export const sandbox = defineProvider({
  title: 'Sandbox (reaches nobody)',
  payload: SmsPayload,
  credentials: SandboxCredentials,
  guarantee: { kind: 'at-least-once' },
  concurrency: 50,
  open({ latencyMs = 50, receiptMs = 1_000 }, context) {
    const receipts = later((report) => context.report(report), receiptMs);
    return {
      async process(job, { signal, attempt }): Promise<JobResult> {
        const message = messageOf(job.payload);
        if ('status' in message) return message;
        if (!(await waited(latencyMs * (0.5 + Math.random()), signal))) {
          return retry('aborted', { message: 'The call ended before its message' });
        }
        const rule = callRule(message, attempt);
        if (rule === 'stall') return whenEnded(signal, NEVER_ANSWERED);
        if (rule !== undefined) return rule;
        const ref = refOf(job.id);
        receipts.add(receiptOf(job.id, ref, message.to, new Date()));
        return succeeded(ref, message.data);
      },
      close: () => receipts.close(),
    };
  },
});

/** The same for a repeat, as is the receipt's id that is made of it. */
const refOf = (jobId: string): string => `SM${createHash('md5').update(jobId).digest('hex')}`;
