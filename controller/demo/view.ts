/** What the demo tells its page: plain JSON, known to both sides. */

export type DemoAction = 'good' | 'bad' | 'break' | 'revert' | 'git' | 'proxy';

export interface DemoView {
  readonly chapters: readonly ChapterView[];
  readonly buttons: readonly ButtonView[];
  /** What was run, oldest first; the newest few dozen. */
  readonly ran: readonly RanView[];
  /** Versions of the service, each with a colour of its own on the page. */
  readonly versions: readonly string[];
  readonly requestsPerSecond: number;
}

export interface ChapterView {
  readonly title: string;
  readonly state: 'next' | 'present' | 'done' | 'failed';
}

export interface ButtonView {
  readonly action: DemoAction;
  readonly label: string;
  /** What is to be seen after it is pressed. */
  readonly what: string;
  /** Why it cannot be pressed now; undefined where it can. */
  readonly refusal?: string;
}

export interface RanView {
  /** Rises by one with each. */
  readonly id: number;
  /** As a person would type it. */
  readonly command: string;
  readonly output: string;
  readonly isError: boolean;
}

/** One request: the version that answered; with `!` its answer was an error; `lost`: none answered. */
export type AnswerView = string;
