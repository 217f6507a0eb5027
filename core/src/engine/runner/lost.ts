import type { LostCall } from '../decisions/settle.ts';

/** What a rejected or aborted call says about itself; `notSent` is a mark, no class, so that copies of core agree. */
export function lostCall(error: unknown, abortReason: Error | undefined): LostCall {
  const from = (error ?? {}) as { code?: unknown; message?: unknown; notSent?: unknown };
  const notSent = from.notSent === true;
  if (abortReason !== undefined && !notSent) {
    return {
      code: (abortReason as { code?: string }).code ?? 'aborted',
      message: abortReason.message,
      notSent,
    };
  }
  const code = typeof from.code === 'string' && from.code !== '' ? from.code.toLowerCase() : 'provider_error';
  const message = typeof from.message === 'string' ? from.message : String(error);
  return { code, message, notSent };
}

/** A throw without a code is a mistake in the plugin, not a word from the network. */
export function isPluginMistake(error: unknown): boolean {
  const { code, notSent } = (error ?? {}) as { code?: unknown; notSent?: unknown };
  return typeof code !== 'string' && notSent !== true;
}
