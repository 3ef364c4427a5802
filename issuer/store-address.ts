/** The address of a store as it may be shown: a database's password stands in the arguments of some, and in nothing that is printed. */
const passwords = /(?<=postgres(?:ql)?:\/\/[^/@:]*:).*(?=@)|(?<=[?&]password=)[^&#]*/g

export const shownAddress = (url: string): string => url.replace(passwords, '***')
