/**
 * Announcements of the loop as they wait in the store's outbox, one for each target that wants to hear,
 * and back. The announcement is kept as JSON, so that what is sent is what was true when it happened.
 */
import type { Announcement } from '../loop/events.js';
import type { StoredNotification } from '../loop/ports.js';

/** Who hears what. A filter that is left out lets everything through. */
export interface Audience {
  /** The sink's name. */
  readonly name: string;
  readonly events?: readonly string[];
  /** Events that do not pass, whatever else stands here. */
  readonly unheard?: readonly string[];
  /** Announcements that concern no single mesh pass, whatever stands here. */
  readonly meshes?: readonly string[];
  /** Announcements of no rollout pass, whatever stands here. */
  readonly services?: readonly string[];
  readonly minSeverity?: Announcement['severity'];
}

const rankOf: Readonly<Record<Announcement['severity'], number>> = {
  info: 0,
  warning: 1,
  error: 2,
};

/** A later announcement of the same rollout says how these ended. */
const progress: ReadonlySet<Announcement['event']> = new Set([
  'rollout.started',
  'rollout.paused',
  'rollout.waitingForApproval',
] as const);

/** What is to be stored for `announcement`, in the order of `audiences`. */
export function notificationsFor(
  announcement: Announcement,
  audiences: readonly Audience[],
): readonly StoredNotification[] {
  return audiences
    .filter((audience) => hears(audience, announcement))
    .map((audience) => ({
      id: announcement.id,
      topic: announcement.rollout ?? 'revisions',
      sink: audience.name,
      createdAtMs: announcement.atMs,
      json: JSON.stringify(announcement),
      expendable: progress.has(announcement.event),
    }));
}

function hears(audience: Audience, announcement: Announcement): boolean {
  const { events, unheard, meshes, services, minSeverity } = audience;
  const about = announcement.services;
  return (
    unheard?.includes(announcement.event) !== true &&
    (events === undefined || events.includes(announcement.event)) &&
    (meshes === undefined || announcement.mesh === '' || meshes.includes(announcement.mesh)) &&
    (services === undefined ||
      about === undefined ||
      services.some((name) => about.includes(name))) &&
    rankOf[announcement.severity] >= rankOf[minSeverity ?? 'info']
  );
}

/** The announcement in `json`, or undefined where another version of this program wrote another form. */
export function readAnnouncement(json: string): Announcement | undefined {
  const value = parse(json) as Partial<Announcement> | undefined;
  const texts = [value?.id, value?.event, value?.mesh, value?.title, value?.text];
  const isAnnouncement =
    texts.every((text) => typeof text === 'string') &&
    typeof value?.atMs === 'number' &&
    Object.hasOwn(rankOf, String(value.severity)) &&
    typeof value.revision?.id === 'string' &&
    typeof value.revision.author === 'string' &&
    Array.isArray(value.facts) &&
    value.facts.every((fact) => typeof fact?.title === 'string' && typeof fact.value === 'string');
  return isAnnouncement ? (value as Announcement) : undefined;
}

function parse(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
