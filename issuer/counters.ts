/** Which counters of a card are known: a high-water mark and the exact gaps below it (PROTOCOL.md, I4). */

export interface Gap {
  readonly first: number
  readonly last: number
}

/** Counter 0 is always known: a card begins there. Counters arrive in any order. */
export class CounterSet {
  #mark: number
  /** Ascending, not touching each other, all below the mark. */
  readonly #gaps: Gap[]

  /** @param gaps ascending, apart from each other, below `mark` */
  constructor(mark: number, gaps: readonly Gap[]) {
    this.#mark = mark
    this.#gaps = [...gaps]
  }

  get mark(): number {
    return this.#mark
  }

  get gaps(): readonly Gap[] {
    return this.#gaps
  }

  /** Where the gap with `counter` is, or would be inserted. */
  #find(counter: number): { at: number; gap: Gap | undefined } {
    let low = 0
    let high = this.#gaps.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const gap = this.#gaps[middle]
      if (gap !== undefined && gap.last < counter) low = middle + 1
      else high = middle
    }
    const gap = this.#gaps[low]
    return { at: low, gap: gap !== undefined && gap.first <= counter ? gap : undefined }
  }

  has(counter: number): boolean {
    return counter <= this.#mark && this.#find(counter).gap === undefined
  }

  /** The nearest known counter below; `counter` is at least 1. */
  below(counter: number): number {
    if (counter > this.#mark) return this.#mark
    const { gap } = this.#find(counter - 1)
    return gap === undefined ? counter - 1 : gap.first - 1
  }

  /** The nearest known counter above, or undefined. */
  above(counter: number): number | undefined {
    if (counter >= this.#mark) return undefined
    const { gap } = this.#find(counter + 1)
    return gap === undefined ? counter + 1 : gap.last + 1
  }

  /** @returns false: it was known already */
  add(counter: number): boolean {
    if (counter > this.#mark) {
      if (counter > this.#mark + 1) this.#gaps.push({ first: this.#mark + 1, last: counter - 1 })
      this.#mark = counter
      return true
    }
    const { at, gap } = this.#find(counter)
    if (gap === undefined) return false
    const rest: Gap[] = []
    if (gap.first < counter) rest.push({ first: gap.first, last: counter - 1 })
    if (gap.last > counter) rest.push({ first: counter + 1, last: gap.last })
    this.#gaps.splice(at, 1, ...rest)
    return true
  }
}
