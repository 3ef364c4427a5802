/** One sentence, on the page and in the terminal alike. @param mayHold an amount with its currency */
export const unreportedWords = (kiosks: number, since: string, mayHold: string): string =>
  `${kiosks} ${kiosks === 1 ? 'kiosk has' : 'kiosks have'} not reported since ${since} and may hold about ${mayHold}.`
