/** What the demo's page shows beside the dashboard, as it changes: chapters, buttons, what was run. */
import type { Ran } from './repository.js';
import type { ButtonView, ChapterView, DemoView, RanView } from './view.js';

/** More than anybody scrolls back. */
const ranMax = 60;

export class Board {
  /** Called after each change. */
  onChange: () => void = () => undefined;
  private readonly fixed: Pick<DemoView, 'versions' | 'requestsPerSecond'>;
  private chapters: readonly ChapterView[];
  private ran: readonly RanView[] = [];
  private buttons: readonly ButtonView[] = [];
  private ranCount = 0;

  constructor(
    options: Pick<DemoView, 'versions' | 'requestsPerSecond'>,
    titles: readonly string[],
  ) {
    this.fixed = options;
    this.chapters = titles.map((title) => ({ title, state: 'next' }));
  }

  view(): DemoView {
    const { chapters, ran, buttons } = this;
    return { ...this.fixed, chapters, ran, buttons };
  }

  /** The chapter `number`, from 0, is told now, or was. */
  setChapter(number: number, state: ChapterView['state']): void {
    this.chapters = this.chapters.map((chapter, index) =>
      index === number ? { ...chapter, state } : chapter,
    );
    this.onChange();
  }

  setButtons(buttons: readonly ButtonView[]): void {
    this.buttons = buttons;
    this.onChange();
  }

  addRan({ command, output }: Ran, { isError = false } = {}): void {
    this.ranCount += 1;
    const entry: RanView = { id: this.ranCount, command, output: output.trimEnd(), isError };
    this.ran = [...this.ran, entry].slice(-ranMax);
    this.onChange();
  }
}
