/**
 * Names in double braces in the text of a gate, as `{{ canary }}`. What each stands for is known only when
 * the gate is asked; that there is one of that name is known when the policy is read.
 */

/** Every name, and what it stands for. */
export const templateNames = {
  canary: 'virtual nodes that gain traffic, or whose configuration changes',
  stable: 'virtual nodes that lose traffic',
  service: 'virtual services that lead to them',
  mesh: 'the mesh',
  name: 'what is rolled out: a virtual router or another resource',
  rollout: "the rollout's id",
  revision: "the commit's id",
  step: 'the number of the step, from 1',
  progress: 'its progress in percent',
  window: "the gate's window, as 1m",
} as const;

export type TemplateName = keyof typeof templateNames;

const placeholder = /\{\{(.*?)\}\}/gs;

export function isTemplateName(name: string): name is TemplateName {
  return Object.hasOwn(templateNames, name);
}

/** What stands in double braces in `text`, in order, known or not. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].map(([, name = '']) => name.trim());
}

/** True where braces are opened and not closed, or closed and not opened. */
export function hasLooseBraces(text: string): boolean {
  return /\{\{|\}\}/.test(text.replaceAll(placeholder, ''));
}

/** `text` with every name replaced; all of them are known (`namesIn`). */
export function fillTemplate(text: string, valueFor: (name: TemplateName) => string): string {
  return text.replaceAll(placeholder, (whole, name: string) => {
    const trimmed = name.trim();
    return isTemplateName(trimmed) ? valueFor(trimmed) : whole;
  });
}
