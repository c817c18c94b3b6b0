/** Work that is done from time to time, and at once when somebody asks, but never twice at a time. */
import type { Clock } from '../loop/ports.js';

export class Task {
  private running: Promise<void> | undefined;
  private isAsked = false;
  private isStopped = false;
  private cancel = (): void => {};

  /** `work` must not throw; `periodMs` is asked after each time. */
  constructor(
    private readonly clock: Clock,
    private readonly periodMs: () => number,
    private readonly work: () => Promise<void>,
  ) {}

  /** Resolves once work that began after this call is done. */
  async wake(): Promise<void> {
    if (this.isStopped) {
      return;
    }
    if (this.running !== undefined) {
      this.isAsked = true;
      await this.running;
      return;
    }
    this.cancel();
    this.running = this.run();
    await this.running;
  }

  /** Resolves once nothing runs any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancel();
    await this.running;
  }

  private async run(): Promise<void> {
    do {
      this.isAsked = false;
      await this.work();
    } while (this.isAsked && !this.isStopped);
    this.running = undefined;
    if (!this.isStopped) {
      this.cancel = this.clock.after(this.periodMs(), () => void this.wake());
    }
  }
}
