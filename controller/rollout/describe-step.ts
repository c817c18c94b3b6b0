/** A step in words, for the reasons of rollouts, for plans, and for whoever looks at one that is under way. */
import type { HeaderMatch, ValueMatch } from '../mesh/model.js';
import type { Mirror, RequestMatch, Sticky } from '../mesh/strategies.js';
import type { PlanStep } from './rollout.js';

/** `25 % of the way to the desired weights`, `requests with header x-canary = always go to the canary`. */
export function describeStep({ stage, progress, match, mirror }: PlanStep): string {
  if (stage === 'config') {
    return `the new configuration on ${progress} % of the proxies`;
  }
  const parts = [
    ...(progress > 0 ? [`${progress} % of the way to the desired weights`] : []),
    ...(match === undefined ? [] : [`requests with ${describeMatch(match)} go to the canary`]),
    ...(mirror === undefined ? [] : [describeMirror(mirror)]),
  ];
  return parts.length === 0 ? 'a preview: the canary is there, without requests' : parts.join(', ');
}

/** What tells the step from the others, short: `25 %`, `match`, `mirror`, `preview`. */
export function labelOfStep({ stage, progress, match, mirror }: PlanStep): string {
  if (stage === 'config' || progress > 0) {
    return `${progress} %`;
  }
  if (match === undefined && mirror === undefined) {
    return 'preview';
  }
  return [...(match ? ['match'] : []), ...(mirror ? ['mirror'] : [])].join(' and ');
}

/** `header x-canary = always and cookie beta`. */
export function describeMatch({ headers, cookies }: RequestMatch): string {
  return [
    ...headers.map(describeHeader),
    ...cookies.map(
      ({ name, exact }) => `cookie ${name}${exact === undefined ? '' : ` = ${exact}`}`,
    ),
  ].join(' and ');
}

function describeHeader({ name, invert, match }: HeaderMatch): string {
  return `${invert ? 'no ' : ''}header ${name}${describeValue(match)}`;
}

function describeValue(match: ValueMatch): string {
  switch (match.kind) {
    case 'present':
      return '';
    case 'exact':
      return ` = ${match.exact}`;
    case 'prefix':
      return ` = ${match.prefix}…`;
    case 'suffix':
      return ` = …${match.suffix}`;
    case 'regex':
      return ` ~ ${match.regex}`;
    case 'range':
      return ` from ${match.start} to below ${match.end}`;
  }
}

function describeMirror({ percent, methods }: Mirror): string {
  return `${percent} % of ${methods.join(', ')} requests copied to the canary`;
}

/** `one client stays on one version, by cookie version (24h)`. */
export function describeSticky(sticky: Sticky): string {
  return `one client stays on one version, by ${sticky.kind} ${sticky.name}`;
}
