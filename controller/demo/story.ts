/** The demo's three chapters: a good release, a bad one, and its revert; each checked as it is told. */
import type { RolloutView } from '../api/rollout-view.js';
import { badVersion, checkout, routeFile } from './mesh-files.js';
import { chapterTitles, type DemoOptions, type Stage } from './stage.js';
import { tellRollout } from './watch.js';

/** No chapter may take longer: the policy's bakes sum up to 13 s. */
const chapterTimeoutMs = 120_000;

/** True where all went as told. */
export async function tellStory(stage: Stage, options: DemoOptions): Promise<boolean> {
  const story = new Story(stage, options.say);
  await story.goodRelease();
  await story.badRelease();
  await story.revert();
  return story.end();
}

class Story {
  private readonly stage: Stage;
  private readonly print: (line: string) => void;
  private readonly startedMs = performance.now();
  private readonly failures: string[] = [];
  /** How many there were when the present chapter began. */
  private failuresBefore = 0;

  constructor(stage: Stage, print: (line: string) => void) {
    this.stage = stage;
    this.print = print;
  }

  async goodRelease(): Promise<void> {
    await this.commit(0, 'checkout: v1 → v2', 'v2');
    const rollout = await this.follow();
    this.check(rollout.phase === 'Succeeded', `the good release ended as ${rollout.phase}`);
    await this.expectAnswers('v2', 'everybody is served by v2');
    this.endChapter(0);
  }

  async badRelease(): Promise<void> {
    await this.commit(1, 'checkout: v2 → v3 (every third answer is an error)', badVersion);
    const errorsBefore = this.stage.load.counts().errors;
    const rollout = await this.follow();
    this.check(rollout.phase === 'RolledBack', `the bad release ended as ${rollout.phase}`);
    const errors = this.stage.load.counts().errors - errorsBefore;
    await this.expectAnswers('v2', 'everybody is served by v2 again');
    const { held } = await this.stage.watcher.status();
    this.check(
      held.some(({ rollout: id }) => id === rollout.id),
      'the bad release is not held',
    );
    this.say(
      `${errors} requests met the bad version's error; Git still asks for v3, which is held`,
    );
    this.endChapter(1);
  }

  async revert(): Promise<void> {
    this.beginChapter(2, 'git revert HEAD');
    const commit = await this.stage.repository.revert();
    const { watcher } = this.stage;
    await watcher.until('the revert to be applied', chapterTimeoutMs, async () => {
      const { revision, held } = await watcher.status();
      return revision.applied === commit && held.length === 0 ? true : undefined;
    });
    this.say(`${commit.slice(0, 7)} is applied: Git and the mesh agree, nothing is held`);
    this.endChapter(2);
  }

  /** Sums up; true where nothing failed. */
  end(): boolean {
    const { sent, lost } = this.stage.load.counts();
    this.check(lost === 0, `${lost} requests were lost: ${this.stage.load.lastLoss()}`);
    this.check(sent > 0, 'no request was sent');
    this.print('');
    this.print(`  ${sent} requests through Envoy, ${lost} lost`);
    for (const failure of this.failures) {
      this.print(`  ✖ ${failure}`);
    }
    return this.failures.length === 0;
  }

  private beginChapter(index: number, command: string): void {
    this.stage.board.setChapter(index, 'present');
    this.failuresBefore = this.failures.length;
    this.print('');
    this.print(`  ${index + 1} of ${chapterTitles.length}  ${command}`);
  }

  private endChapter(index: number): void {
    const isAsTold = this.failures.length === this.failuresBefore;
    this.stage.board.setChapter(index, isAsTold ? 'done' : 'failed');
  }

  private async commit(index: number, message: string, version: string): Promise<void> {
    this.beginChapter(index, `git commit -m "${message}" && git push`);
    const commit = await this.stage.repository.commit(message, { [routeFile]: checkout(version) });
    this.say(`pushed    ${commit.slice(0, 7)}`);
  }

  /** Tells the newest rollout from its start to its end. */
  private async follow(): Promise<RolloutView> {
    const { watcher } = this.stage;
    let last: RolloutView | undefined;
    return watcher.until('the rollout to end', chapterTimeoutMs, async () => {
      const running = await this.newestRollout(last?.id);
      if (running === undefined) {
        return undefined;
      }
      for (const line of tellRollout(last, running)) {
        this.say(line);
      }
      last = running;
      this.seen.add(running.id);
      return ['Succeeded', 'RolledBack', 'Aborted', 'Superseded'].includes(running.phase)
        ? running
        : undefined;
    });
  }

  private readonly seen = new Set<string>();

  private async newestRollout(id: string | undefined): Promise<RolloutView | undefined> {
    const rollouts = await this.stage.watcher.rollouts();
    return rollouts.find((rollout) =>
      id === undefined ? !this.seen.has(rollout.id) : rollout.id === id,
    );
  }

  /** The next 50 answers all come from `version`. */
  private async expectAnswers(version: string, told: string): Promise<void> {
    const { load, watcher } = this.stage;
    const before = load.counts();
    await watcher.until('fifty more answers', 30_000, async () =>
      load.counts().sent >= before.sent + 50 ? true : undefined,
    );
    const after = load.counts();
    const others = Object.entries(after.byVersion)
      .filter(([name]) => name !== version)
      .filter(([name, count]) => count > (before.byVersion[name] ?? 0));
    this.check(
      others.length === 0,
      `expected answers of ${version} alone, not ${JSON.stringify(others)}`,
    );
    this.say(told);
  }

  private check(isTrue: boolean, failure: string): void {
    if (!isTrue) {
      this.failures.push(failure);
    }
  }

  private say(text: string): void {
    const seconds = Math.floor((performance.now() - this.startedMs) / 1000);
    const clock = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
    this.print(`  ${clock}   ${text}`);
  }
}
