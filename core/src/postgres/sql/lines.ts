import { joinBytes } from '../../plugin/join-bytes.ts';

/** Texts as the lines of one `text` parameter, in UTF-8. */
export const lines = (texts: readonly string[]): Buffer => joinBytes(texts, { between: '\n' });
