/** Things under keys, several under one: a key is there as long as something is under it. */
export class SetMap<Key, Value> {
  private readonly sets = new Map<Key, Set<Value>>();

  add(key: Key, value: Value): void {
    const values = this.sets.get(key) ?? new Set();
    this.sets.set(key, values.add(value));
  }

  remove(key: Key, value: Value): void {
    const values = this.sets.get(key);
    values?.delete(value);
    if (values?.size === 0) {
      this.sets.delete(key);
    }
  }

  /** In the order in which they were added. */
  under(key: Key): ReadonlySet<Value> {
    return this.sets.get(key) ?? nothing;
  }
}

const nothing: ReadonlySet<never> = new Set();
