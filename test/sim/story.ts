/** One seed as a whole: the events that make it, what they led to, and the fewest of them that still do. */
import { Simulation } from './simulation.js';

/** Long enough for several commits, crashes and rollouts that end. */
const eventsPerSeed = 120;

/** A failure that needs more attempts than this is told as short as it has become. */
const attemptsMax = 300;

export interface Story {
  readonly seed: number;
  /** Empty where everything held. */
  readonly problems: readonly string[];
  /** What happened up to the first problem, one line an event. */
  readonly log: readonly string[];
  /** The numbers of the events that were let happen. */
  readonly events: readonly number[];
}

export function allEvents(): readonly number[] {
  return Array.from({ length: eventsPerSeed }, (_, index) => index);
}

export async function tellStory(seed: number, events = allEvents()): Promise<Story> {
  const simulation = new Simulation(seed);
  try {
    const problems = await simulation.run(events);
    return { seed, problems: [...problems], log: simulation.log, events };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed, problems: [`threw ${text}`], log: simulation.log, events };
  }
}

/**
 * `story`, which failed, with as few of its events as still fail: halves are left out, then quarters, and
 * so on down to single ones. The problem may be another one, as long as there is one.
 */
export async function shrinkStory(story: Story): Promise<Story> {
  let shortest = story;
  let attempts = 0;
  for (let size = Math.ceil(story.events.length / 2); size >= 1; ) {
    let hasShrunk = false;
    for (let from = 0; from < shortest.events.length && attempts < attemptsMax; ) {
      const fewer = shortest.events.toSpliced(from, size);
      attempts += 1;
      const shorter = await tellStory(story.seed, fewer);
      if (shorter.problems.length > 0) {
        shortest = shorter;
        hasShrunk = true;
      } else {
        from += size;
      }
    }
    if (size === 1 && !hasShrunk) {
      break;
    }
    size = size > 1 || attempts >= attemptsMax ? Math.floor(size / 2) : 1;
  }
  return shortest;
}
