/** What the issuer announces while a page is open (Server-Sent Events, each named by its topic). */

export const topics = ['batches', 'books', 'cases', 'cards', 'terminals', 'publications', 'audit'] as const
export type Topic = (typeof topics)[number]
