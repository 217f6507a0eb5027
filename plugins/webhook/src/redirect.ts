import { headerOf } from '@batchsender/core/plugin';
import type { Answer } from './exchange.ts';
import type { Target } from './request.ts';
import { parsePlace } from './target.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** True for an answer that sends the caller elsewhere (RFC 9110, section 15.4). */
export const isRedirect = (status: number): boolean => REDIRECTS.has(status);

/**
 * Where a redirect leads, or what is wrong with it. 301, 302, 307 and 308 repeat the request as it
 * was: a call that silently turned into a GET would lose its body. 303 asks for a GET.
 */
export function redirectTarget(answer: Answer, from: Target): Target | string {
  const location = headerOf(answer.headers, 'location');
  if (location === undefined) return 'it names no place to go';
  const place = parsePlace(location, from.place);
  if (typeof place === 'string') return 'it does not lead to an http or https URL without credentials';
  if (from.place.origin.startsWith('https:') && place.origin.startsWith('http:')) {
    return 'it leads from https to http';
  }
  const foreign = from.foreign || place.origin !== from.place.origin;
  if (answer.status !== 303) return { ...from, place, foreign };
  return { place, foreign, method: from.method === 'HEAD' ? 'HEAD' : 'GET', body: undefined };
}
