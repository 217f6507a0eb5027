import type { ResultColumn } from '@batchsender/core';
import { LineError } from '../ndjson/line-error.ts';
import type { SliceWriter } from '../ndjson/slice-writer.ts';
import { unmarked } from '../results/csv-cell.ts';
import { isExportColumn } from '../results/export-fields.ts';
import { CellError } from './cell-value.ts';
import { clashes, missing, pointerOf } from './check-columns.ts';
import { headerProblem } from './column-error.ts';
import { type ColumnTarget, findColumns } from './columns.ts';
import { EncodingError } from './decoder.ts';
import { FirstLine } from './first-line.ts';
import { type RowBuilder, rowBuilder } from './row-builder.ts';
import { RowSplitter } from './row-splitter.ts';
import { ArchiveError, TextSource } from './text-source.ts';

/** What a reader knows of the file and of its batch. */
export interface CsvReaderOptions extends ColumnTarget {
  /** The batch's defaults: what they bring, no column must. */
  readonly defaults: Readonly<Record<string, unknown>> | null;
  /** One character. Default: found in the header. */
  readonly delimiter?: string;
  /** A name of the encoding standard. Default: by the byte order mark, else UTF-8. */
  readonly encoding?: string;
  /** Longest row, in characters. */
  readonly maxRowChars: number;
}

/** Turns the bytes of a CSV file into rows for a writer. */
export class CsvReader {
  readonly #options: CsvReaderOptions;
  readonly #writer: Pick<SliceWriter, 'add' | 'reject'>;
  readonly #source: TextSource;
  readonly #firstLine: FirstLine;
  #splitter: RowSplitter | undefined;
  #build: RowBuilder | undefined;
  #width = 0;
  #hasNul = false;
  #columns: readonly ResultColumn[] = [];

  constructor(options: CsvReaderOptions, writer: Pick<SliceWriter, 'add' | 'reject'>) {
    this.#options = options;
    this.#writer = writer;
    this.#source = new TextSource(options.encoding);
    this.#firstLine = new FirstLine(options.delimiter, options.maxRowChars);
  }

  /** The columns that go into the payloads; empty before the header was read. */
  get columns(): readonly ResultColumn[] {
    return this.#columns;
  }

  /** @throws LineError for a line after which nothing can be read, HttpProblem `invalid_header`. */
  push(bytes: Buffer): void {
    this.#decoded(() => this.#source.push(bytes));
  }

  /** The input is over. @throws as `push`. */
  end(): void {
    this.#decoded(() => this.#source.end());
    if (this.#splitter === undefined) this.#begin(this.#firstLine.end());
    this.#splitter?.end();
  }

  #decoded(decode: () => string): void {
    let text: string;
    try {
      text = decode();
    } catch (error) {
      if (error instanceof ArchiveError) throw workbookError();
      if (!(error instanceof EncodingError)) throw error;
      // The lines before are read first: the error's line is counted, and theirs come before it.
      this.#text(error.before);
      throw encodingError(error.offset, this.#source.encoding, this.#splitter?.line ?? 1);
    }
    this.#text(text);
  }

  #text(text: string): void {
    this.#hasNul ||= text.includes('\0');
    if (this.#splitter !== undefined) {
      this.#splitter.push(text);
      return;
    }
    const beginning = this.#firstLine.push(text);
    if (beginning !== undefined) this.#begin(beginning);
  }

  #begin({ delimiter, text, line }: { delimiter: string; text: string; line: number }): void {
    this.#splitter = new RowSplitter({
      delimiter,
      line,
      maxRowChars: this.#options.maxRowChars,
      onRow: (cells, rowLine) => this.#row(cells, rowLine),
      onBadRow: (error) => {
        if (this.#build === undefined) throw error;
        this.#writer.reject(error);
      },
    });
    this.#splitter.push(text);
  }

  #row(cells: readonly string[], line: number): void {
    if (this.#hasNul && cells.some((cell) => cell.includes('\0'))) {
      const error = nulError(line);
      if (this.#build === undefined) throw error;
      this.#writer.reject(error);
    } else if (this.#build === undefined) {
      this.#header(cells, line);
    } else if (!isBlank(cells)) {
      this.#payload(this.#build, cells, line);
    }
  }

  #header(cells: readonly string[], line: number): void {
    const { schema, defaults } = this.#options;
    const { columns, errors } = findColumns(cells, this.#options);
    const found = errors.length > 0 ? errors : [...clashes(columns), ...missing(columns, schema, defaults)];
    if (found.length > 0) throw headerProblem(found, line);
    this.#width = cells.length;
    const build = rowBuilder(columns);
    // An export that was mended and comes back: its cells lose the marks that an export puts there.
    const isExport = cells.some((name) => isExportColumn(name.trim()));
    this.#build = isExport ? (row) => build(row.map(unmarked)) : build;
    this.#columns = columns.map(({ name, path }) => ({ name, path: pointerOf(path) }));
  }

  #payload(build: RowBuilder, cells: readonly string[], line: number): void {
    if (cells.length !== this.#width) {
      this.#writer.reject(raggedError(cells.length, this.#width, line));
      return;
    }
    try {
      this.#writer.add({ payload: build(cells) }, line);
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      this.#writer.reject(new LineError(line, error.code, error.message, error.path));
    }
  }
}

/** True for a blank line, and for a row in which every cell is empty, as spreadsheets append them. */
function isBlank(cells: readonly string[]): boolean {
  if (cells.length === 1) return (cells[0] as string).trim() === '';
  return cells.every((cell) => cell === '');
}

function raggedError(cells: number, width: number, line: number): LineError {
  const message = `The row has ${cells} cells, the header ${width}. Does a cell need quotes?`;
  return new LineError(line, cells < width ? 'too_few_cells' : 'too_many_cells', message);
}

const nulError = (line: number): LineError =>
  new LineError(
    line,
    'nul_character',
    'The row has a NUL character. If the file is UTF-16, add ?encoding=utf-16le; else take it out.',
  );

const workbookError = (): LineError =>
  new LineError(
    1,
    'not_csv',
    'The file is a ZIP archive, as workbooks (.xlsx, .ods) are. Save the sheet as CSV and send that file.',
  );

function encodingError(offset: number, encoding: string, line: number): LineError {
  const remedy =
    encoding === 'utf-8'
      ? 'Save the file as UTF-8, or name its encoding, for example ?encoding=windows-1252.'
      : 'Name the encoding that the file has, or save it as UTF-8.';
  return new LineError(
    line,
    'invalid_encoding',
    `Byte ${offset + 1} of the file is no ${encoding}. ${remedy}`,
  );
}
