/** Lets what several callers bring be written in one durable transaction: what comes while one is written goes into the next. */

export interface GroupLimits {
  /** Over this weight nothing more joins a group, so that its time is bounded. One heavier item is a group of its own. */
  readonly weightMax: number
  /** A group waits this long for the next to join... */
  readonly quietMs: number
  /** ...and so long in all. */
  readonly gatherMs: number
}

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly weight: number
  readonly resolve: (answer: Answer | PromiseLike<Answer>) => void
  readonly reject: (reason: unknown) => void
}

/** Answers in the order of the items; all or nothing. */
export type GroupWork<Item, Answer> = (items: readonly Item[]) => Promise<readonly Answer[]>

export class GroupCommit<Item, Answer> {
  readonly #limits: GroupLimits
  #waiting: Waiting<Item, Answer>[] = []
  #running = false
  #gatheringSince = 0
  #timer: NodeJS.Timeout | undefined

  constructor(limits: GroupLimits) {
    this.#limits = limits
  }

  /**
   * Answers once the item's group is done. A group that fails is done again, each item apart: one that cannot be taken in
   * spoils no other.
   * @param work of the whole group
   */
  take(
    { item, weight }: { readonly item: Item; readonly weight: number },
    work: GroupWork<Item, Answer>,
  ): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.#waiting.length === 0) this.#gatheringSince = performance.now()
      this.#waiting.push({ item, weight, resolve, reject })
      this.#gather(work)
    })
  }

  #gather(work: GroupWork<Item, Answer>): void {
    if (this.#running || this.#waiting.length === 0) return
    clearTimeout(this.#timer)
    const weight = this.#waiting.reduce((sum, waiting) => sum + waiting.weight, 0)
    const isLate = performance.now() - this.#gatheringSince >= this.#limits.gatherMs
    if (weight >= this.#limits.weightMax || isLate) this.#run(work)
    else this.#timer = setTimeout(() => this.#run(work), this.#limits.quietMs)
  }

  #nextGroup(): Waiting<Item, Answer>[] {
    let weight = 0
    const beyond = this.#waiting.findIndex((waiting, index) => {
      weight += waiting.weight
      return index > 0 && weight > this.#limits.weightMax
    })
    const group = beyond === -1 ? this.#waiting : this.#waiting.slice(0, beyond)
    this.#waiting = this.#waiting.slice(group.length)
    return group
  }

  #run(work: GroupWork<Item, Answer>): void {
    const group = this.#nextGroup()
    this.#running = true
    void settle(group, work).finally(() => {
      this.#running = false
      this.#gatheringSince = performance.now()
      this.#gather(work)
    })
  }
}

const settle = async <Item, Answer>(
  group: readonly Waiting<Item, Answer>[],
  work: GroupWork<Item, Answer>,
): Promise<void> => {
  try {
    const answers = await work(group.map(({ item }) => item))
    for (const [index, { resolve }] of group.entries()) resolve(answers[index] as Answer)
  } catch (error) {
    const [alone] = group
    if (group.length === 1) alone?.reject(error)
    else for (const waiting of group) await settle([waiting], work)
  }
}
