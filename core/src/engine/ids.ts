import { BatchSenderError } from './errors.ts';

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** `<batchId>.<seq>` */
export const JOB_ID = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(\d{1,9})$/i;

/** @throws BatchSenderError `batch_not_found` */
export function checkBatchId(batchId: string): string {
  if (!UUID.test(batchId))
    throw new BatchSenderError('batch_not_found', `There is no batch ${batchId.slice(0, 100)}`);
  return batchId.toLowerCase();
}

/** `<batchId>.<seq>`. @throws BatchSenderError `job_not_found` */
export function parseJobId(jobId: string): { batchId: string; seq: number } {
  const match = JOB_ID.exec(jobId);
  if (match === null) throw new BatchSenderError('job_not_found', `There is no job ${jobId.slice(0, 100)}`);
  return { batchId: (match[1] as string).toLowerCase(), seq: Number(match[2]) };
}
