/** What bounds the stored state, the same for every adapter. */

/** Entries of the history: some weeks of a busy mesh, a few megabytes. The oldest go first. */
export const historyEntriesMax = 10_000;

/** Undelivered notifications of one sink: with a chat server that is dead for days, not for ever. */
export const outboxEntriesMax = 10_000;

/** Dead letters of all sinks: people look at the newest. */
export const deadLettersMax = 1_000;

/** A state file past this is a defect of ours; the disk belongs to others too. */
export const fileBytesMax = 4 * 1024 ** 3;

/**
 * How long a start waits for the file's lock: a supervisor may start us while our predecessor, told to
 * stop or killed, is still on its way out.
 */
export const lockWaitMs = 5_000;
