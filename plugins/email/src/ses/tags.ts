import type { MessageTag } from '@aws-sdk/client-sesv2';
import { JOB_TAG, jobTag } from '../receipts/job-tag.ts';

/** The tags of a message. A label of ours becomes one with the value `true`, for those of SES have a name and a value. */
export function tagsOf(jobId: string, tags: readonly string[]): MessageTag[] {
  const labels = tags.filter((name) => name !== JOB_TAG).map((Name) => ({ Name, Value: 'true' }));
  return [{ Name: JOB_TAG, Value: jobTag(jobId) }, ...labels];
}
