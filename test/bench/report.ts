/** What a benchmark prints is saved as it comes, so that a run which is cut off keeps what it has. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { projectPath } from '../support/project.js';

export interface Report {
  /** Where it is, below the project's folder. */
  readonly path: string;
  /** Prints `text` as a line and adds it to the file. */
  say(text: string): void;
  /** Adds `text` as a line and prints nothing. */
  note(text: string): void;
}

/** Begins `test-output/bench/NAME` anew. */
export function openReport(name: string): Report {
  const folder = projectPath('test-output/bench');
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${name}`;
  writeFileSync(file, '');
  const note = (text: string): void => appendFileSync(file, `${text}\n`);
  return {
    path: `test-output/bench/${name}`,
    note,
    say(text) {
      console.log(text);
      note(text);
    },
  };
}
