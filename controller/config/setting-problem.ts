/** What is wrong with the settings, from whichever of their sources. */

/** A mistake in the settings. Any of severity `error` keeps the controller from starting. */
export interface SettingProblem {
  readonly severity: 'error' | 'warning';
  /** `--poll`, `HEADGATE_POLL` or `headgate.yaml:3`. */
  readonly place: string;
  readonly message: string;
}
