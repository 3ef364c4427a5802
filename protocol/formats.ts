/** Intl's formatters, each made once: to make one costs as much as to write a hundred amounts with it, and a shelf is full of them. */

const kept = <Options, Formatter>(make: new (locale: string, options: Options) => Formatter) => {
  const formatters = new Map<string, Formatter>()
  return (locale: string, options: Options): Formatter => {
    const name = `${locale} ${JSON.stringify(options)}`
    const known = formatters.get(name) ?? new make(locale, options)
    formatters.set(name, known)
    return known
  }
}

export const numberFormat = kept(Intl.NumberFormat)
export const dateFormat = kept(Intl.DateTimeFormat)
