import { createHash } from 'node:crypto';

/** What a vendor remembers of the URL that a person opened. */
export interface Authorized {
  /** `code_challenge` of the URL (RFC 7636, section 4.3). */
  challenge: string;
}

/** True if this is the exchange of a code by the client that began the grant (RFC 7636, section 4.6). */
export function isGranted(form: URLSearchParams, { challenge }: Authorized): boolean {
  const verifier = form.get('code_verifier') ?? '';
  return (
    form.get('grant_type') === 'authorization_code' &&
    form.get('code') === 'the-code' &&
    createHash('sha256').update(verifier).digest('base64url') === challenge
  );
}
