/** The flows of a terminal that are killed at every step; flows.ts says where each begins. */
export const flows = [
  'document',
  'code',
  'printed',
  'load',
  'reversal',
  'delivery',
  'recovery',
  'recoveryVoid',
  'sync',
  'enrolment',
] as const
export type Flow = (typeof flows)[number]

export const isFlow = (name: string): name is Flow => flows.some((flow) => flow === name)
