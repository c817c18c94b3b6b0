/**
 * Node's module hooks: one compiled module of the controller is loaded with a mutant's text in place of
 * its own. A mutant whose text is not there any more is an error, so none can fall asleep.
 */
import type { LoadHook } from 'node:module';
import { type Mutant, mutants } from './mutants.js';

let mutant: Mutant | undefined;

export function initialize(name: string): void {
  mutant = mutants.find((one) => one.name === name);
  if (mutant === undefined) {
    throw new Error(`there is no mutant ${name}`);
  }
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (mutant === undefined || !url.endsWith(`/controller/${mutant.file}`)) {
    return loaded;
  }
  const source = String(loaded.source);
  if (source.split(mutant.text).length !== 2) {
    throw new Error(`the mutant '${mutant.name}' finds its text not once in ${mutant.file}`);
  }
  return { ...loaded, source: source.replace(mutant.text, () => mutant?.becomes ?? '') };
};
