/** Name of the tag, or of the field of metadata, by which providers carry the id of a job back. */
export const JOB_TAG = 'batchsender_job';

/** The id of a job in the letters that tags may have: letters, digits, `_` and `-`. */
export const jobTag = (jobId: string): string => jobId.replaceAll('.', '_');

/** The id of a job from its tag; undefined for what is none of ours. */
export function jobOfTag(tag: unknown): string | undefined {
  const match = typeof tag === 'string' ? /^([0-9a-f-]{36})_(\d{1,10})$/.exec(tag) : null;
  return match === null ? undefined : `${match[1]}.${match[2]}`;
}
