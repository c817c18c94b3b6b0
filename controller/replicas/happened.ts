/**
 * What happened to a replica’s proxies, as a batch for the others. Times go as ages, since no two machines
 * have the same clock: the database says how old a batch is, and its writer how old each figure was.
 */
import type { LoopEvent } from '../loop/events.js';
import { type Figures, packFigures, unpackFigures } from './figures.js';

interface Happened {
  readonly left: readonly (readonly [id: string, clean: boolean])[];
  readonly refused: readonly Extract<LoopEvent, { kind: 'proxyNacked' }>[];
  readonly figures: Figures;
}

/** Figures of one batch: of some thousand proxies at once. What is beyond is lost, and said. */
export const figuresMax = 20_000;

/** The batch as JSON; undefined where nothing happened that the others must know. */
export function packHappened(events: readonly LoopEvent[], nowMs: number): string | undefined {
  const happened: Happened = {
    left: events.flatMap((event) =>
      event.kind === 'proxyDisconnected' ? [[event.id, event.clean] as const] : [],
    ),
    refused: events.filter((event) => event.kind === 'proxyNacked'),
    figures: packFigures(events, nowMs, figuresMax),
  };
  const isEmpty =
    happened.left.length === 0 &&
    happened.refused.length === 0 &&
    Object.values(happened.figures).every((list) => list.length === 0);
  return isEmpty ? undefined : JSON.stringify(happened);
}

/** What `json` says: who left and whether they said so, and the events that follow at once. */
export function unpackHappened(
  json: string,
  writtenAtMs: number,
): { readonly left: Happened['left']; readonly events: readonly LoopEvent[] } {
  const { left, refused, figures } = JSON.parse(json) as Happened;
  return { left, events: [...refused, ...unpackFigures(figures, writtenAtMs)] };
}
