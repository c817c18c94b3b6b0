/**
 * Problems in the forms that others show beside the lines they are about: GitHub's workflow commands,
 * GitLab's code quality, SARIF for code scanning, JUnit for everything that lists tests.
 */
import type { Checked } from './checked.js';
import { renderGithub } from './github.js';
import { renderGitlab } from './gitlab.js';
import { renderJunit } from './junit.js';
import { renderSarif } from './sarif.js';

export const annotationFormats = ['github', 'gitlab', 'sarif', 'junit'] as const;
export type AnnotationFormat = (typeof annotationFormats)[number];

/** The text of a whole report; empty where the form has nothing to say of a clean check. */
export function annotate(checked: Checked, format: AnnotationFormat): string {
  switch (format) {
    case 'github':
      return renderGithub(checked);
    case 'gitlab':
      return renderGitlab(checked);
    case 'sarif':
      return renderSarif(checked);
    case 'junit':
      return renderJunit(checked);
  }
}
