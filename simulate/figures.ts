/** Counts by name: what happened in a run. */
export class Figures {
  readonly #counts = new Map<string, number>()

  count(group: string, name: string, by = 1): void {
    const key = `${group}: ${name}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by)
  }

  add(others: Readonly<Record<string, number>>): void {
    for (const [key, count] of Object.entries(others)) this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
  }

  /** By name. */
  all(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
