/** A plugin broke the contract; the message says where, and what to do. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
}

/** @throws ConformanceError always. */
export function violated(message: string, cause?: unknown): never {
  throw new ConformanceError(message, cause === undefined ? {} : { cause });
}

/** @throws ConformanceError if there is a problem. */
export function refuseIf(problem: string | undefined): void {
  if (problem !== undefined) violated(problem);
}
