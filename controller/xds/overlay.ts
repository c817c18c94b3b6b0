/**
 * Maps and sets by name that thousands of streams have almost alike: whole resource sets, which all of
 * them share, and what is different on this stream. Taking a whole set in or out costs one step, and
 * memory is that of the differences; one name costs what it costs in a Map.
 */
import type { EncodedResource, ResourceSet } from '../envoy/snapshot.js';
import { changedNames } from './snapshot-changes.js';
import { areDisjoint } from './whole-sets.js';

/** Says of a name of a whole set that it is not there after all. */
const hole = Symbol('hole');

const noSets: readonly ResourceSet[] = [];
const noSet: ResourceSet = { version: '', byName: new Map() };

/** `V` has whatever a resource set has, and more where single names may have other values. */
export class Overlay<V> {
  /** No name is in two of them. */
  private sets = noSets;
  /** By name what is not as the sets say. Undefined: nothing. */
  private own: Map<string, V | EncodedResource | typeof hole> | undefined;
  /** How many of `own` are names of whole sets. */
  private touched = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The whole sets that are in here, of which single names may be missing or different. */
  get wholeSets(): readonly ResourceSet[] {
    return this.sets;
  }

  /** How many names are not as the whole sets have them. */
  get differences(): number {
    return this.own?.size ?? 0;
  }

  has(name: string): boolean {
    const mine = this.own?.get(name);
    if (mine === undefined && !this.own?.has(name)) {
      return this.fromSets(name) !== undefined;
    }
    return mine !== hole;
  }

  get(name: string): V | EncodedResource | undefined {
    const mine = this.own?.get(name);
    if (mine !== undefined || this.own?.has(name)) {
      return mine === hole ? undefined : mine;
    }
    return this.fromSets(name);
  }

  set(name: string, value: V | EncodedResource): void {
    if (!this.has(name)) {
      this.count += 1;
    }
    this.put(name, value);
  }

  /** Where it is not there, sets `name` to what the whole sets have for it, and to `value` where they have nothing. */
  restore(name: string, value: V): void {
    if (this.sets.length > 0) {
      if (!this.has(name)) {
        this.set(name, this.fromSets(name) ?? value);
      }
      return;
    }
    this.own ??= new Map();
    if (!this.own.has(name)) {
      this.own.set(name, value);
      this.count += 1;
    }
  }

  delete(name: string): boolean {
    if (!this.has(name)) {
      return false;
    }
    this.count -= 1;
    if (this.count === 0) {
      this.clear();
    } else {
      this.put(name, hole);
    }
    return true;
  }

  clear(): void {
    this.sets = noSets;
    this.own = undefined;
    this.touched = 0;
    this.count = 0;
  }

  *entries(): Generator<[string, V | EncodedResource]> {
    for (const set of this.sets) {
      for (const [name, resource] of set.byName) {
        if (!this.own?.has(name)) {
          yield [name, resource];
        }
      }
    }
    for (const [name, value] of this.own ?? []) {
      if (value !== hole) {
        yield [name, value];
      }
    }
  }

  *keys(): Generator<string> {
    for (const [name] of this.entries()) {
      yield name;
    }
  }

  *values(): Generator<V | EncodedResource> {
    for (const [, value] of this.entries()) {
      yield value;
    }
  }

  /** What is not as the whole sets have it. */
  *ownValues(): Generator<V | EncodedResource> {
    for (const value of this.own?.values() ?? []) {
      if (value !== hole) {
        yield value;
      }
    }
  }

  [Symbol.iterator](): Generator<[string, V | EncodedResource]> {
    return this.entries();
  }

  /** The names that are in none of the whole sets. */
  others(): readonly string[] {
    const names = [...(this.own?.keys() ?? [])];
    return this.sets.length === 0
      ? names
      : names.filter((name) => this.fromSets(name) === undefined);
  }

  /** `set` is one of the whole sets, and none of their names is missing or different. */
  hasWhole(set: ResourceSet): boolean {
    return this.touched === 0 && this.sets.includes(set);
  }

  /** True where `addWhole` may be called: no name of `set` is in here. */
  canAddWhole(set: ResourceSet): boolean {
    for (const name of this.own?.keys() ?? []) {
      if (set.byName.has(name)) {
        return false;
      }
    }
    return this.sets.every((each) => areDisjoint(each, set));
  }

  addWhole(set: ResourceSet): void {
    if (set.byName.size > 0) {
      this.sets = [...this.sets, set];
      this.count += set.byName.size;
    }
  }

  /** Takes out one of the whole sets, for which `hasWhole` is true. */
  removeWhole(set: ResourceSet): void {
    this.sets = this.sets.filter((each) => each !== set);
    this.count -= set.byName.size;
  }

  /**
   * Says the same as before, as what differs from `set`. `isSame` says what need not be kept. It costs
   * what differs where it was said as what differs from one other set.
   */
  rebase(
    set: ResourceSet,
    isSame: (value: V | EncodedResource, resource: EncodedResource) => boolean,
  ): void {
    const [only = noSet, ...others] = this.sets;
    const names = new Set([
      ...(others.length === 0 ? changedNames(only, set) : [...this.keys(), ...set.byName.keys()]),
      ...(this.own?.keys() ?? []),
    ]);
    const values = [...names].map((name) => [name, this.has(name), this.get(name)] as const);
    const { count } = this;
    this.clear();
    this.addWhole(set);
    for (const [name, isThere, value] of values) {
      const resource = set.byName.get(name);
      if (!isThere) {
        this.put(name, hole);
      } else if (resource === undefined || !isSame(value as V, resource)) {
        this.put(name, value as V);
      }
    }
    this.count = count;
  }

  private put(name: string, value: V | EncodedResource | typeof hole): void {
    const shared = this.fromSets(name);
    const isKnown = this.own?.has(name) ?? false;
    const isNeedless = shared === undefined ? value === hole : value === shared;
    if (!isNeedless) {
      this.own ??= new Map();
      this.own.set(name, value);
    } else {
      this.own?.delete(name);
    }
    if (shared !== undefined) {
      this.touched += Number(!isNeedless) - Number(isKnown);
    }
  }

  private fromSets(name: string): EncodedResource | undefined {
    for (const set of this.sets) {
      const resource = set.byName.get(name);
      if (resource !== undefined) {
        return resource;
      }
    }
    return undefined;
  }
}

/** A set of names, of which most are those of whole sets. */
export class NameOverlay {
  private readonly names = new Overlay<true>();

  get size(): number {
    return this.names.size;
  }

  get wholeSets(): readonly ResourceSet[] {
    return this.names.wholeSets;
  }

  get differences(): number {
    return this.names.differences;
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  add(name: string): void {
    this.names.restore(name, true);
  }

  delete(name: string): boolean {
    return this.names.delete(name);
  }

  clear(): void {
    this.names.clear();
  }

  keys(): Generator<string> {
    return this.names.keys();
  }

  [Symbol.iterator](): Generator<string> {
    return this.names.keys();
  }

  /** The names that are in none of the whole sets. */
  others(): readonly string[] {
    return this.names.others();
  }

  hasWhole(set: ResourceSet): boolean {
    return this.names.hasWhole(set);
  }

  canAddWhole(set: ResourceSet): boolean {
    return this.names.canAddWhole(set);
  }

  addWhole(set: ResourceSet): void {
    this.names.addWhole(set);
  }

  removeWhole(set: ResourceSet): void {
    this.names.removeWhole(set);
  }
}
