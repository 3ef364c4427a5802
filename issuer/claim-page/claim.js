// The claim page (docs/PROTOCOL.md, Claims): reads the claim from the address's fragment, which no server sees in its
// logs, posts its 132 bytes, and shows what was bought.
import { de, en } from './words.js'

const claimLength = 132
const words = navigator.languages
  .find((tag) => /^(de|en)\b/i.test(tag))
  ?.toLowerCase()
  .startsWith('de')
  ? de
  : en
const main = document.querySelector('main')
document.documentElement.lang = words.locale.slice(0, 2)

/** An element with attributes and children; text never becomes markup. */
const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children.filter((child) => child !== undefined))
  return element
}

/** @returns the claim's bytes, or undefined where the fragment is not base64url of exactly 132 bytes */
const claimOf = (fragment) => {
  if (!/^[\w-]{176}$/.test(fragment)) return undefined
  const text = atob(fragment.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0))
  return bytes.length === claimLength ? bytes : undefined
}

/** In the first of the customer's languages that there is, else in any. */
const textOf = (texts) => {
  const tags = [...navigator.languages, 'en'].flatMap((tag) => [tag, tag.split('-')[0]])
  return texts[tags.find((tag) => tag in texts)] ?? Object.values(texts)[0]
}
const dateOf = (iso, style) => new Intl.DateTimeFormat(words.locale, style).format(new Date(iso))
const amountOf = (minor, { currency, currencyDecimals }) =>
  new Intl.NumberFormat(words.locale, { style: 'currency', currency, minimumFractionDigits: currencyDecimals }).format(
    minor / 10 ** currencyDecimals,
  )

const svgNamespace = 'http://www.w3.org/2000/svg'
const icon = (path) => {
  const svg = document.createElementNS(svgNamespace, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  const stroke = document.createElementNS(svgNamespace, 'path')
  for (const [name, value] of Object.entries({
    d: path,
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '2.4',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  }))
    stroke.setAttribute(name, value)
  svg.append(stroke)
  return svg
}
const tick = () => icon('M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19M7.5 12.5l3 3 6-6.5')
const caution = () => icon('M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19M12 7v6M12 16.8v.1')

const rows = (...pairs) =>
  make(
    'dl',
    {},
    ...pairs.flatMap(([name, value, style]) => [
      make('dt', style ? { class: style } : {}, name),
      make('dd', style ? { class: style } : {}, value),
    ]),
  )

const copyButton = (code) => {
  const button = make('button', { class: 'button', type: 'button', id: 'copy' }, words.copy)
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code)
      button.textContent = words.copied
    } catch {
      // No clipboard over plain HTTP: select it, so that the phone's own menu copies it.
      getSelection()?.selectAllChildren(document.querySelector('.code'))
    }
  })
  return button
}

/** As large as fits on one line of a narrow phone. */
const sizeOf = (code) => (code.length <= 14 ? 'short' : code.length <= 19 ? 'middle' : 'long')

const codeGoods = ({ code, kind }) =>
  make(
    'div',
    { class: 'goods' },
    make('p', { class: 'label' }, kind === 'ticket' ? words.yourTicket : words.yourCode),
    make('code', { class: `code ${sizeOf(code)}`, id: 'code' }, code),
    copyButton(code),
  )

const preview = ({ mediaType, contentUrl }) => {
  if (mediaType.startsWith('image/')) return make('img', { class: 'picture', src: contentUrl, alt: '' })
  if (mediaType.startsWith('audio/')) return make('audio', { src: contentUrl, controls: '', preload: 'metadata' })
  if (mediaType.startsWith('video/'))
    return make('video', { src: contentUrl, controls: '', playsinline: '', preload: 'metadata' })
  return undefined
}

const contentGoods = (sale) =>
  make(
    'div',
    { class: 'goods' },
    preview(sale),
    make('a', { class: 'button', id: 'open', href: sale.contentUrl, target: '_blank', rel: 'noopener' }, words.open),
    make('a', { class: 'button second', id: 'save', href: sale.contentUrl, download: sale.fileName }, words.save),
  )

const showSale = (sale) => {
  const { receipt } = sale
  const rate = new Intl.NumberFormat(words.locale, { style: 'percent', maximumFractionDigits: 2 }).format(
    sale.taxBasisPoints / 10_000,
  )
  const card = make(
    'article',
    { class: 'card' },
    make('p', { class: 'mark' }, tick(), words.thanks),
    make('h1', {}, textOf(sale.title)),
    make('p', { class: 'summary' }, textOf(sale.summary)),
    sale.code === undefined ? contentGoods(sale) : codeGoods(sale),
    make('div', { class: 'tear' }),
    rows(
      [words.total, amountOf(sale.amountMinor, sale), 'total'],
      [words.seller, sale.merchant],
      [words.date, dateOf(sale.paidAt, { dateStyle: 'medium', timeStyle: 'short' })],
    ),
    make(
      'details',
      {},
      make('summary', {}, words.details),
      rows(
        [words.receipt, `${receipt.cardEnding}-${receipt.counter}`],
        [words.card, words.cardEnding(receipt.cardEnding)],
        [words.kiosk, receipt.terminalId],
        ...(sale.taxBasisPoints > 0 ? [[words.tax, rate]] : []),
      ),
    ),
  )
  main.replaceChildren(card, make('p', { class: 'until' }, words.until(dateOf(sale.expiresAt, { dateStyle: 'long' }))))
  document.title = `${textOf(sale.title)} · Farthing`
  document.body.dataset.state = 'shown'
}

const showTrouble = (name) => {
  const [what, todo] = words.troubles[name] ?? words.troubles.failed
  const again = make('button', { class: 'button', type: 'button' }, words.again)
  again.addEventListener('click', () => location.reload())
  main.replaceChildren(
    make(
      'article',
      { class: 'card trouble', role: 'alert' },
      make('p', { class: 'mark' }, caution()),
      make('h1', {}, what),
      make('p', { class: 'summary' }, todo),
      ...(['offline', 'failed', 'unknownYet'].includes(name) ? [make('div', { class: 'goods' }, again)] : []),
    ),
  )
  document.body.dataset.state = 'trouble'
  document.body.dataset.trouble = name
}

/** The issuer's refusals by the trouble that a customer reads. */
const troubleOf = {
  layout: 'incomplete',
  tooLarge: 'incomplete',
  forged: 'notGenuine',
  expired: 'expired',
  unknownTerminal: 'notGenuine',
  unknownCard: 'unknownYet',
  reversed: 'givenBack',
  moneyBack: 'givenBack',
  clone: 'person',
  itemOrPrice: 'person',
  exception: 'person',
}

const collect = async () => {
  const claim = claimOf(location.hash.slice(1))
  if (claim === undefined) return showTrouble('incomplete')
  let answer
  try {
    answer = await fetch('v1/claims', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: claim,
    })
  } catch {
    return showTrouble('offline')
  }
  try {
    const body = await answer.json()
    if (answer.ok) showSale(body)
    else showTrouble(troubleOf[body.error] ?? 'failed')
  } catch {
    showTrouble('failed')
  }
}

addEventListener('hashchange', () => location.reload())
await collect()
