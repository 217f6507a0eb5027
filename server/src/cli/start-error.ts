/** The server cannot start for a reason that its user can mend: shown as it is, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
