/**
 * Access logs that would not be written as they stand: operators that Envoy does not know, for which it
 * refuses the whole listener, and JSON members of one name. The operators are those that an Envoy 1.40
 * accepts (test/envoy/log-operators.test.ts asks it); a newer one may have more, so that is a warning.
 */
import { nearestName } from '../base/nearest-name.js';
import type * as yaml from '../generated/schema-types.js';
import { type Finding, repeated } from './finding.js';
import { logOperators } from './log-operators.js';

export function checkAccessLog(logging: yaml.Logging | undefined): readonly Finding[] {
  const path = ['spec', 'logging', 'accessLog', 'file', 'format'];
  const format = logging?.accessLog?.file?.format;
  const members = format?.json ?? [];
  return [
    ...(format?.text === undefined ? [] : checkOperators(format.text, [...path, 'text'])),
    ...members.flatMap(({ value }, index) =>
      checkOperators(value, [...path, 'json', index, 'value']),
    ),
    ...repeated(members, ({ key }) => key).map(([index, key]) => ({
      code: 'HG0522' as const,
      path: [...path, 'json', index, 'key'],
      text: `the access log has a member ${JSON.stringify(key)} already; rename one`,
      details: { found: key },
    })),
  ];
}

function checkOperators(text: string, path: Finding['path']): readonly Finding[] {
  return [...text.matchAll(/%%|%([A-Z0-9_]+)(\(.*?\))?(?::[0-9]+)?%/gs)].flatMap(
    ([, name, parameters]): readonly Finding[] => {
      const fault = name === undefined ? undefined : operatorFault(name, parameters !== undefined);
      if (name === undefined || fault === undefined) {
        return [];
      }
      const text =
        `the access log's operator ${name} ${fault}; Envoy refuses the ` +
        'listener for it, unless one newer than 1.40 knows better';
      return [{ code: 'HG0521', path, text, details: { found: name } }];
    },
  );
}

function operatorFault(name: string, hasParameters: boolean): string | undefined {
  switch (logOperators.get(name)) {
    case 'optional':
      return undefined;
    case 'needed':
      return hasParameters ? undefined : `needs parameters: write %${name}(…)%`;
    case 'none':
      return hasParameters ? `takes no parameters: write %${name}%` : undefined;
    case undefined: {
      const suggestion = nearestName(name, logOperators.keys());
      return suggestion === undefined
        ? "is none of Envoy's"
        : `is none of Envoy's (did you mean ${suggestion}?)`;
    }
  }
}
