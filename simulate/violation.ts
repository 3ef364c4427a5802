/** An invariant of PROTOCOL.md is broken: what the simulator exists to find. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'crash'

export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: Invariant
  constructor(invariant: Invariant, message: string, options?: ErrorOptions) {
    super(message, options)
    this.invariant = invariant
  }
}

/** @throws Violation */
export const demand = (invariant: Invariant, holds: boolean, message: () => string): void => {
  if (!holds) throw new Violation(invariant, message())
}
