/** The entries of what names a definition: its own name, its mesh, its parent, its owner and its labels. */
import { present } from '../base/assert.js';
import type { FieldPath } from '../mesh/document.js';
import { resolution } from './conversion.js';
import { type Definition, isAccount, type Named } from './definition.js';
import { nameReason } from './names.js';
import { type OutEntry, outOf } from './output.js';
import type { Report } from './report.js';

/** All of them by one `entry`: of a definition that stays out of the result. */
export function reportNames(
  definition: Definition,
  entry: Parameters<Report['addLeaves']>[2],
  report: Report,
): void {
  for (const named of [
    definition.nameSource,
    definition.mesh,
    definition.meshOwner,
    definition.parent,
  ]) {
    if (named?.node !== undefined) {
      report.addLeaves(named.node, named.path, entry);
    }
  }
  for (const label of definition.labels) {
    const from = [...definition.labelsPath, label.key];
    report.add({ ...entry, place: label.keyPlace, from, isLoss: false });
    report.addLeaves(label.node, from, entry);
  }
}

/** Those of its own name, its mesh and its parent. */
export function reportIdentity(
  definition: Definition,
  mesh: string,
  resource: string,
  { report, hasSeveralMeshes }: { readonly report: Report; readonly hasSeveralMeshes: boolean },
  to: FieldPath = ['metadata', 'name'],
): void {
  const { nameSource } = definition;
  const reason = nameReason(definition);
  if (nameSource?.node === undefined) {
    report.add({
      outcome: 'defaulted',
      resource,
      place: definition.place,
      to,
      value: definition.name,
      reason,
      isLoss: true,
    });
  } else {
    reportNamed(nameSource, to, resource, reason, report);
  }
  if (definition.mesh !== undefined) {
    const to = hasSeveralMeshes && definition.kind !== 'Route' ? ['metadata', 'mesh'] : [];
    reportNamed(definition.mesh, to, resource, '', report);
  }
  if (definition.meshOwner !== undefined && definition.kind !== 'Mesh') {
    reportOwner(definition.meshOwner, resource, `spec.meshOwner of Mesh ${mesh}`, report);
  }
  if (definition.parent !== undefined && definition.kind === 'Route') {
    reportNamed(
      definition.parent,
      to.slice(0, 2),
      resource,
      'the route stands in its router',
      report,
    );
  }
}

/** That `text` became the field `to`, changed where there is a reason. */
export function reportNamed(
  { node, path, text }: Named,
  to: FieldPath,
  resource: string,
  reason: string,
  report: Report,
): void {
  const from = resolution(present(node, 'node of a name'));
  const isSame = reason === '' && !from.isMissing;
  report.add({
    outcome: isSame ? 'carried' : 'changed',
    resource,
    place: present(node, 'node of a name').place,
    from: path,
    to,
    value: text,
    reason: [reason, from.reason].filter((part) => part !== '').join('; '),
  });
}

/** Whether `owner` can be kept. */
export function reportOwner(
  owner: Named,
  resource: string,
  reason: string,
  report: Report,
): boolean {
  const isId = isAccount(owner.text);
  if (isId) {
    reportNamed(owner, reason === '' ? ['spec', 'meshOwner'] : [], resource, reason, report);
  } else {
    const node = present(owner.node, 'owner');
    const why = ['an owner is an account id of 12 digits', resolution(node).reason];
    report.addLeaves(node, owner.path, {
      outcome: 'dropped',
      resource,
      reason: why.filter((part) => part !== '').join('; '),
      isLoss: !resolution(node).isMissing,
    });
  }
  return isId;
}

/** The labels that can be kept. */
export function labelsOf(
  definition: Definition,
  resource: string,
  report: Report,
): readonly OutEntry[] {
  const kept: OutEntry[] = [];
  for (const label of definition.labels) {
    const from = [...definition.labelsPath, label.key];
    const text = label.node.kind === 'scalar' ? label.node.text : '';
    const isName = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/.test(label.key);
    const isKept =
      isName &&
      text.length <= 256 &&
      kept.length < 50 &&
      !kept.some(({ key }) => key === label.key);
    report.addLeaves(label.node, from, {
      outcome: isKept ? 'carried' : 'dropped',
      resource,
      to: isKept ? ['metadata', 'labels', label.key] : undefined,
      reason: isKept
        ? resolution(label.node).reason
        : 'a label has a name of 1 to 128 letters, digits, dots, hyphens, underscores and slashes, and there are at most 50',
      isLoss: !isKept,
    });
    if (definition.form !== 'Kubernetes') {
      // A tag's name is a value there.
      const to = isKept ? ['metadata', 'labels', label.key] : [];
      const outcome = isKept ? 'carried' : 'dropped';
      report.add({ outcome, resource, place: label.keyPlace, from, to, value: label.key });
    }
    if (isKept) {
      kept.push({ key: label.key, node: outOf(text), before: label.before });
    }
  }
  return kept;
}
