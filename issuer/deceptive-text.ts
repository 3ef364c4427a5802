/** What people write, without what would make it look like something else. */

/** Control characters, and those that turn the direction of what is written after them: a title could show another price. */
export const isDeceptive = (text: string): boolean => /[\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/u.test(text)

/** A name stands in one line of a table. */
export const isDeceptiveName = (name: string): boolean => isDeceptive(name) || /[\n\t\u2028\u2029]/.test(name)
