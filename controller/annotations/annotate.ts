/**
 * Problems in the forms that others show beside the lines they are about: GitHub's workflow commands,
 * GitLab's code quality, SARIF for code scanning, JUnit for everything that lists tests.
 */
import type { Problem } from '../base/problem.js';
import { renderGithub } from './github.js';
import { renderGitlab } from './gitlab.js';
import { renderJunit } from './junit.js';
import { renderSarif } from './sarif.js';

export const annotationFormats = ['github', 'gitlab', 'sarif', 'junit'] as const;
export type AnnotationFormat = (typeof annotationFormats)[number];

/** What was looked at. */
export interface Checked {
  /** With paths from the top of the repository, where the reader of the annotations looks for them. */
  readonly problems: readonly Problem[];
  /** Of every file that was read. */
  readonly files: readonly string[];
  /** Of the program, for whoever reads the result. */
  readonly version: string;
}

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
