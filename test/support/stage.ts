/** What all tests of one file stand on: set up once, before the first of them, and taken down after the last. */

/** What undoes each part of a stage, in the order in which the parts were set up. */
export type Undo = (() => unknown)[];

/**
 * What `setUp` makes. `undo`, which it fills, is carried out backwards after the tests of `suite`, and at
 * once where not all could be set up.
 */
export async function openStage<T>(
  suite: { after(hook: () => Promise<void>): void },
  undo: Undo,
  setUp: () => Promise<T>,
): Promise<T> {
  const tearDown = async (): Promise<void> => {
    for (const step of undo.reverse()) {
      await step();
    }
  };
  suite.after(tearDown);
  try {
    return await setUp();
  } catch (error) {
    await tearDown();
    throw error;
  }
}
