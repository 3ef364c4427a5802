/** How long a decision waits for its second person (docs/OPERATIONS.md, Two people): who agrees later agrees to what was true once. */
export const proposalDaysMax = 7

/** @param proposedAt ISO 8601 @returns when it holds no longer, likewise */
export const proposalEnd = (proposedAt: string): string =>
  new Date(Date.parse(proposedAt) + proposalDaysMax * 86_400_000).toISOString()
