/** What the log was told lately, so that it is told once: of things whose number others choose. */
import { forgetOldest } from '../base/forget-oldest.js';

export class SaidLately {
  private readonly said = new Set<string>();

  /** Of more than `max` different texts, those that are longest unasked for are forgotten and new again. */
  constructor(private readonly max: number) {}

  /** False where `text` was asked about before and is remembered. */
  isNew(text: string): boolean {
    const isKnown = this.said.delete(text);
    this.said.add(text);
    forgetOldest(this.said, this.max);
    return !isKnown;
  }
}
