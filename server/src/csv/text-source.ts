import { Decoder } from './decoder.ts';

const MARKS: readonly (readonly [encoding: string, mark: Buffer])[] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

/** How a ZIP archive begins, which a workbook of Excel, LibreOffice or Numbers is. */
const ARCHIVE = Buffer.from('PK\u0003\u0004');

/** So many bytes tell how a file begins. */
const BEGINNING = ARCHIVE.length;
const BOM = '\ufeff';

/** The file is no text but an archive. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/** Turns chunks of bytes into text: by a byte order mark, else by the given encoding, else as UTF-8. */
export class TextSource {
  readonly #given: string;
  #decoder: Decoder | undefined;
  #start = Buffer.alloc(0);
  #isAtStart = true;

  /** `encoding` is a name of {@link encodingName}. */
  constructor(encoding = 'utf-8') {
    this.#given = encoding;
  }

  /** The encoding, as far as it is known. */
  get encoding(): string {
    return this.#decoder?.encoding ?? this.#given;
  }

  /** @throws EncodingError, ArchiveError */
  push(bytes: Buffer): string {
    if (this.#decoder !== undefined) return this.#unmarked(this.#decoder.push(bytes));
    this.#start = Buffer.concat([this.#start, bytes]);
    return this.#start.length < BEGINNING ? '' : this.#begin();
  }

  /** @throws EncodingError, ArchiveError */
  end(): string {
    const text = this.#decoder === undefined ? this.#begin() : '';
    return text + this.#unmarked(this.#decoder?.end() ?? '');
  }

  #begin(): string {
    if (this.#start.subarray(0, ARCHIVE.length).equals(ARCHIVE)) throw new ArchiveError();
    const marked = MARKS.find(([, mark]) => this.#start.subarray(0, mark.length).equals(mark));
    this.#decoder = new Decoder(marked?.[0] ?? this.#given);
    return this.#unmarked(this.#decoder.push(this.#start));
  }

  #unmarked(text: string): string {
    if (!this.#isAtStart || text === '') return text;
    this.#isAtStart = false;
    return text.startsWith(BOM) ? text.slice(1) : text;
  }
}
