import type { ServerProcess } from './server-process.ts';

/** The answer where the provider's handler says nothing else. */
const TAKEN = 204;

/** Receipts on their way to a server. */
export interface ReceiptFlow {
  /** No more are sent. Answers how many were taken, when all are answered. @throws Error if one was refused. */
  end(): Promise<number>;
}

/** Sends a receipt for one job of a batch after the other, so many a minute, whether they are answered or not. */
export function sendReceipts(server: ServerProcess, batchId: string, perMinute: number): ReceiptFlow {
  const answers: Promise<void>[] = [];
  const startedAt = performance.now();
  const send = async (seq: number): Promise<void> => {
    const jobId = `${batchId}.${seq}`;
    const response = await fetch(`${server.url}/v1/callbacks/noop/noop/noop.noop`, {
      method: 'POST',
      body: JSON.stringify({ jobId, eventId: jobId }),
    });
    await response.body?.cancel();
    if (response.status !== TAKEN) throw new Error(`A receipt was answered with ${response.status}`);
  };
  const timer = setInterval(() => {
    // Late timers are made up for: the number a minute is what counts.
    const due = ((performance.now() - startedAt) * perMinute) / 60_000;
    while (answers.length < due) {
      const answer = send(answers.length);
      // Told of at the end; and if the deliveries fail first, by nobody.
      answer.catch(() => undefined);
      answers.push(answer);
    }
  }, 5).unref();
  return {
    end: async () => {
      clearInterval(timer);
      await Promise.all(answers);
      return answers.length;
    },
  };
}
