/** What of the kiosks may be held, none of them known for nothing. @param mayHold an amount with its currency */
export const mayHoldWords = ({
  kiosks,
  unknown,
  mayHold,
}: {
  readonly kiosks: number
  readonly unknown: number
  readonly mayHold: string
}): string => {
  if (unknown === 0) return `about ${mayHold}`
  return unknown === kiosks ? 'an unknown sum' : `at least about ${mayHold}, and ${unknown} of them an unknown sum`
}

/** One sentence, on the page and in the terminal alike. */
export const unreportedWords = (
  of: Parameters<typeof mayHoldWords>[0] & {
    /** A business day. */
    readonly since: string
  },
): string =>
  `${of.kiosks} ${of.kiosks === 1 ? 'kiosk has' : 'kiosks have'} not reported since ${of.since} and may hold ${mayHoldWords(of)}.`
