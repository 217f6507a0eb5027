import type { Problem } from '../errors.ts';

/** Most problems that an answer lists. */
export const MAX_PROBLEMS = 100;

/** Longest texts of a problem that is kept with the answer: a line may hold a megabyte of field name. */
const MAX_PATH = 200;
const MAX_MESSAGE = 500;

/** Counts the rows that an upload leaves out, and keeps the first problems. */
export class Rejections {
  readonly errors: Problem[] = [];
  rows = 0;

  /** Takes the problems of one row. */
  add(problems: readonly Problem[]): void {
    this.rows += 1;
    for (const problem of problems) {
      if (this.errors.length >= MAX_PROBLEMS) return;
      const [path, message] = [cut(problem.path, MAX_PATH), cut(problem.message, MAX_MESSAGE)];
      this.errors.push({ ...problem, path, message });
    }
  }
}

const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
