/** How long a decision waits for its second person (docs/OPERATIONS.md, Two people): who agrees later agrees to what was true once. */
export const proposalDaysMax = 7
