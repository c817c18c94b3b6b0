/** What no setting can know alone: pairs that need or exclude each other, and who may reach which port. */
import { redacted } from '../base/printable.js';
import { isLoopback, renderHostPort } from '../base/socket-address.js';
import { checkAccess, hasSignIn } from './access.js';
import { admissionOf, checkAdmission } from './admission.js';
import { secretVariablesOf } from './environment.js';
import type { NotificationTarget } from './notifications.js';
import { singleSettings } from './repositories.js';
import { findText, type Report, type SettingSources, type Values } from './sources.js';
import { flagOf, type SettingName } from './table.js';

export function checkTogether(values: Values, sources: SettingSources, report: Report): void {
  const placeOf = (name: SettingName) => findText(name, sources)?.place ?? flagOf(name);
  checkRepository(sources, report);
  const refs = (['branch', 'tag', 'semver', 'commit'] as const).filter(
    (name) => findText(name, sources) !== undefined,
  );
  if (refs.length > 1) {
    const named = refs.map((name) => placeOf(name)).join(' and ');
    report(placeOf(refs[0] ?? 'branch'), `${named} each say what is deployed; name one of them`);
  }
  if (
    typeof sources.flags.repo === 'string' &&
    redacted(sources.flags.repo) !== sources.flags.repo
  ) {
    report(
      '--repo',
      'holds a password, which every user of this machine can see; set HEADGATE_REPO',
    );
  }
  checkState(values, sources, { placeOf, report });
  checkAdmission(values, placeOf, report);
  const isAsked = { xds: admissionOf(values) !== undefined, http: hasSignIn(values) };
  for (const name of ['xds', 'http'] as const) {
    const listen = values[name];
    const isReached = listen !== undefined && !isLoopback(listen.address);
    if (isReached && !isAsked[name] && values.insecure === false) {
      report(
        placeOf(name),
        `${name} is ${renderHostPort(listen)}, which other machines may reach, and nothing asks ` +
          `them who they are; ${remedyOf[name]}`,
      );
    }
  }
  checkAccess(values, (name, message) => report(placeOf(name), message));
  const { xds, http } = values;
  const [variables] = secretVariablesOf(sources.env);
  const hasSecrets = values.secrets !== undefined || variables !== undefined;
  if (hasSecrets && xds !== undefined && !isLoopback(xds.address) && !isAsked.xds) {
    report(
      values.secrets === undefined ? 'environment' : placeOf('secrets'),
      `secrets are served in plain text at ${renderHostPort(xds)}, to whoever says it is a proxy that ` +
        'names them; let only proxies reach it',
      'warning',
    );
  }
  if (xds && http && xds.port !== 0 && renderHostPort(xds) === renderHostPort(http)) {
    report(placeOf('http'), `http is ${renderHostPort(http)}, as xds is; each needs its own port`);
  }
}

/** Whether the state is PostgreSQL's. */
export function isDatabase({ state, stateUrlFile }: Values): boolean {
  return stateUrlFile !== undefined || /^postgres(ql)?:/i.test(state ?? '');
}

function checkState(
  values: Values,
  { flags }: SettingSources,
  { placeOf, report }: { readonly placeOf: (name: SettingName) => string; readonly report: Report },
): void {
  if (typeof flags.state === 'string' && redacted(flags.state) !== flags.state) {
    report(
      '--state',
      'holds a password, which every user of this machine can see; set HEADGATE_STATE, or give ' +
        '--state-password-file',
    );
  }
  for (const name of ['statePasswordFile', 'replica'] as const) {
    if (values[name] !== undefined && !isDatabase(values)) {
      report(
        placeOf(name),
        `${name} is of use with a PostgreSQL state only; give --state postgres://USER@HOST/DATABASE`,
      );
    }
  }
}

/** One repository is given, or several in the file, and not both. */
function checkRepository(sources: SettingSources, report: Report): void {
  const isSeveral = (sources.file?.repositories ?? []).length > 0;
  if (!isSeveral && findText('repo', sources) === undefined) {
    report('--repo', 'is missing; name the Git repository of the mesh, or a directory');
  }
  for (const name of isSeveral ? singleSettings : []) {
    const given = findText(name, sources);
    if (given !== undefined) {
      report(given.place, `${name} is of one repository; write it into each of \`repositories\``);
    }
  }
}

/** A status is no use on another repository's commit, so each target says whose commits it is for. */
export function checkForges(
  targets: readonly NotificationTarget[],
  repositories: readonly { readonly name: string }[],
  report: Report,
): void {
  const names = repositories.map(({ name }) => name);
  for (const target of targets) {
    const isForge = target.kind === 'commitStatus' || target.kind === 'revert';
    if (isForge && names.length === 0 && target.of !== undefined) {
      report(
        'notifications',
        `${target.name} is of ${target.of}, and there is no \`repositories\``,
      );
    } else if (isForge && names.length > 0 && !names.includes(target.of ?? '')) {
      report('notifications', `${target.name} has to be \`of\` one of ${names.join(', ')}`);
    }
  }
}

/** Targets are told apart by their names alone. */
export function checkNames(targets: readonly { readonly name: string }[], report: Report): void {
  const names = targets.map((target) => target.name);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    report('notifications', `two targets are called ${name}; give each a name of its own`);
  }
}

const remedyOf = {
  xds:
    'give it --xds-cert, --xds-key and either --xds-client-ca with --xds-clients or --xds-token-key, ' +
    'use a loopback address, or say --insecure where the network is trusted',
  http: 'use a loopback address, or say --insecure where the network is trusted',
} as const;
