/**
 * An SVG as a kiosk may show it (SVG 2). A browser draws what it refers to as often as it is referred to, so a few hundred letters
 * can ask for a thousand million shapes, and every kiosk that has it on its shelf would stand still. What it would draw is counted
 * here, once, without drawing it; and a file is read in one pass, whatever is in it.
 */

interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Element[]
  /** Of a style sheet. */
  text: string
}

export interface SvgPicture {
  readonly width: number
  readonly height: number
  /** Pictures within it, as their addresses give them. */
  readonly images: readonly string[]
}

/** Why a kiosk must not show it: the end of a sentence that begins with its name. */
class NotShown extends Error {}

const damaged = () => new NotShown('is damaged: it does not end as an SVG does.')
const more = () => new NotShown('is more than a picture: take out scripts, entities, and addresses outside of it.')
const heavy = () =>
  new NotShown(
    'would take kiosks too long to draw: have it drawn as PNG or WebP, or take out copies, masks and filters.',
  )

const elementsMax = 20_000
const depthMax = 200
/** In shapes; a few seconds of a slow machine. */
const costMax = 200_000
const layerCost = 200
const filteredCost = 15_000
const filterCost = 5_000
const imageCost = 500

const namespace = 'http://www.w3.org/2000/svg'
const shapes = 'a,circle,ellipse,g,image,line,path,polygon,polyline,rect,svg,switch,text,textPath,tspan,use'.split(',')
/** Drawn only where they are referred to. */
const kept = 'clipPath,defs,filter,linearGradient,mask,pattern,radialGradient,symbol'.split(',')
const filters =
  'feBlend,feColorMatrix,feComponentTransfer,feComposite,feDropShadow,feFlood,feFuncA,feFuncB,feFuncG,feFuncR,feGaussianBlur,feMerge,feMergeNode,feOffset'.split(
    ',',
  )
const quiet = 'desc,metadata,stop,style,title,view'.split(',')
const known = new Set([...shapes, ...kept, ...filters, ...quiet])
const gradients = ['linearGradient', 'radialGradient']

const letters: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
const decoded = (text: string): string =>
  text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|quot|apos|amp));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return letters[name] ?? whole
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole
  })

/** With one blank for many, so that no pattern looks at each of them for each one before it. */
const plain = (text: string): string => text.replaceAll(/\s+/g, ' ')

const attributesOf = (tag: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  // It begins behind a blank or a quote, so that no letter is looked at for each one before it.
  for (const [, name = '', double, single] of tag.matchAll(/(?<![^\s"'])([^\s"'=<>/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g))
    found.set(name, plain(decoded(double ?? single ?? '')))
  return found
}

/** @returns where the tag that begins at `from` ends: a ">" outside of quotes */
const endOfTag = (text: string, from: number): number => {
  let quote = ''
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (quote !== '') quote = letter === quote ? '' : quote
    else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '>') return at
  }
  throw damaged()
}

/** Reads elements and what style sheets say. @throws NotShown */
const treeOf = (text: string): Element => {
  const top: Element = { name: '', attributes: new Map(), children: [], text: '' }
  const open: Element[] = [top]
  let elements = 0
  let at = 0
  const skip = (end: string): void => {
    const to = text.indexOf(end, at)
    if (to === -1) throw damaged()
    at = to + end.length
  }
  while (at < text.length) {
    const inside = open.at(-1) ?? top
    const next = text.indexOf('<', at)
    const between = text.slice(at, next === -1 ? text.length : next)
    // Nothing but comments and the XML declaration stands beside the picture.
    if (inside === top && between.trim() !== '') throw damaged()
    if (inside.name === 'style') inside.text += decoded(between)
    if (next === -1) break
    at = next
    if (text.startsWith('<!--', at)) skip('-->')
    else if (text.startsWith('<?', at)) skip('?>')
    else if (text.startsWith('<![CDATA[', at)) {
      const from = at + 9
      skip(']]>')
      if (inside.name === 'style') inside.text += text.slice(from, at - 3)
    } else if (text.startsWith('<!', at)) throw more()
    else if (text.startsWith('</', at)) {
      skip('>')
      if (open.length === 1) throw damaged()
      open.pop()
    } else {
      const end = endOfTag(text, at)
      const tag = text.slice(at + 1, end)
      const name = /^[^\s/]+/.exec(tag)?.[0] ?? ''
      elements += 1
      if (elements > elementsMax || open.length > depthMax) throw heavy()
      const element: Element = {
        name,
        attributes: attributesOf(tag.slice(name.length)),
        children: [],
        text: '',
      }
      inside.children.push(element)
      if (!tag.endsWith('/')) open.push(element)
      at = end + 1
    }
  }
  const [root, another] = top.children
  if (open.length !== 1 || root === undefined || another !== undefined || root.name !== 'svg') throw damaged()
  return root
}

/** @returns the sheet without its comments */
const rulesOf = (sheet: string): string =>
  plain(
    sheet
      .split('/*')
      .map((part, at) => (at === 0 ? part : part.slice(part.includes('*/') ? part.indexOf('*/') + 2 : part.length)))
      .join(' '),
  )

const layers = /(?:^|[;{\s])(?:opacity|mask|clip-path|mix-blend-mode|isolation)\s*:/i
const filtered = /(?:^|[;{\s])(?:backdrop-)?filter\s*:/i
/** What rules make of an element, beyond its shape. */
const costOfRules = (rules: string): number =>
  filtered.test(rules) ? filteredCost : layers.test(rules) ? layerCost : 0
const markers = /(?<![a-z-])marker[a-z-]*\s*:(?!\s*none)/i
/** An element is named by its id, in letters that a browser reads as they are: not "%61" for "a", and no blank or bracket. */
const referred = /url\( ?["']? ?#([\p{L}\p{N}_.:-]+)/giu
const outside = /url\((?! ?(["']?) ?#[\p{L}\p{N}_.:-]+ ?\1 ?\))/iu
const isAddress = (attribute: string): boolean => /(?:^|:)(?:href|src)$/i.test(attribute)
const addressInside = /^ ?(?:#[\p{L}\p{N}_.:-]* ?$|data:image\/)/iu

const hasDeclaration = (rules: string, fits: (property: string, value: string) => boolean): boolean =>
  rules.split(/[;{}]/).some((declaration) => {
    const [property = '', ...value] = declaration.split(':')
    return fits(property.trim().toLowerCase(), value.join(':'))
  })
/** What each element inside, and each copy of one, would be painted with. */
const handsDown = (rules: string): boolean =>
  hasDeclaration(rules, (property, value) => /^(?:fill|stroke|--)/.test(property) && /url\(/i.test(value))
/** Asks for what is not handed down otherwise. */
const inherits = (rules: string): boolean =>
  hasDeclaration(rules, (property, value) => /mask|clip-path|filter|^all$/.test(property) && /\binherit\b/i.test(value))

const visit = (root: Element, see: (element: Element) => void): void => {
  see(root)
  for (const child of root.children) visit(child, see)
}

/** What would run, fetch, move or unfold. */
const requirePicture = (root: Element, byId: ReadonlyMap<string, Element>): void =>
  visit(root, ({ name, attributes, text }) => {
    const foreign = name.includes(':')
    if (!foreign && !known.has(name)) throw more()
    for (const [attribute, value] of attributes) {
      if (/^on/i.test(attribute) || attribute === 'xml:base') throw more()
      // A second name for SVG's own elements would hide them.
      if (attribute.startsWith('xmlns:') && value.trim() === namespace) throw more()
      if (isAddress(attribute) && !addressInside.test(value)) throw more()
      // A backslash writes "url" in other letters, and a comment parts what belongs together.
      if (outside.test(value) || (!attribute.includes(':') && /\\|\/\*/.test(value))) throw more()
    }
    if (name !== 'style') return
    const rules = rulesOf(text)
    if (/[\\@]/.test(rules) || markers.test(rules) || outside.test(rules) || inherits(rules)) throw more()
    // A sheet's rule may hold for every element: only what is cheap for all of them.
    for (const [, id = ''] of rules.matchAll(referred)) if (!gradients.includes(byId.get(id)?.name ?? '')) throw heavy()
  })

/** How much is drawn, each copy counted. @throws NotShown for what refers to itself, or goes beyond the limit */
const requireCheap = (root: Element, byId: ReadonlyMap<string, Element>): void => {
  let sheets = ''
  visit(root, ({ text }) => {
    sheets += text
  })
  const eachCost = 1 + costOfRules(rulesOf(sheets))
  const costs = new Map<Element, number>()
  const under = new Set<Element>()

  const drawn = (element: Element): number => {
    const counted = costs.get(element)
    if (counted !== undefined) return counted
    if (under.has(element) || under.size > depthMax) throw heavy()
    under.add(element)
    const cost = element.children.reduce(
      (sum, child) => sum + (kept.includes(child.name) ? 0 : drawn(child)),
      own(element),
    )
    under.delete(element)
    if (cost > costMax) throw heavy()
    costs.set(element, cost)
    return cost
  }
  const own = ({ name, attributes, children }: Element): number => {
    let cost = filters.includes(name) ? filterCost : name === 'image' ? imageCost : eachCost
    for (const [attribute, value] of attributes) {
      if ((/^marker/i.test(attribute) && value !== 'none') || (attribute === 'style' && markers.test(value)))
        throw heavy()
      const rules = attribute === 'style' ? value : `${attribute}:${value}`
      if (inherits(rules)) throw heavy()
      cost += costOfRules(rules)
      const named = isAddress(attribute) && value.trim().startsWith('#') ? [value.trim().slice(1)] : []
      const targets = [...named, ...[...value.matchAll(referred)].map(([, each = '']) => each)]
      for (const target of targets) {
        const element = byId.get(target)
        if (element === undefined || gradients.includes(element.name)) continue
        // All that is in a group, in a copy, and in what is kept there would be painted with it: nobody counts that.
        if (handsDown(rules) && (name === 'use' || children.length > 0)) throw heavy()
        cost += drawn(element)
      }
      if (cost > costMax) throw heavy()
    }
    return cost
  }
  drawn(root)
}

const sizeOf = ({ attributes }: Element): { width: number; height: number } => {
  const box = (attributes.get('viewBox') ?? '').trim().split(/[\s,]+/)
  const side = (name: string): number => Number(/^\s*([\d.]+)(?:px)?\s*$/.exec(attributes.get(name) ?? '')?.[1])
  const [width, height] = box.length === 4 ? [Number(box[2]), Number(box[3])] : [side('width'), side('height')]
  if (!(width > 0 && height > 0)) throw new NotShown('is damaged: it does not say its size.')
  return { width, height }
}

/** Whether it begins as an SVG does. */
export const isSvg = (text: string): boolean => /^\s*<(?:svg[\s>]|\?xml\s|!--|!DOCTYPE)/i.test(text.slice(0, 1000))

/** @returns the picture, or what stands against showing it: the rest of a sentence that begins with its name */
export const readSvg = (text: string): SvgPicture | string => {
  try {
    const root = treeOf(text)
    const byId = new Map<string, Element>()
    const images: string[] = []
    visit(root, (element) => {
      const { name, attributes } = element
      const id = attributes.get('id')
      if (id !== undefined && !byId.has(id)) byId.set(id, element)
      if (name === 'image')
        images.push(...[...attributes].filter(([attribute]) => isAddress(attribute)).map(([, address]) => address))
    })
    requirePicture(root, byId)
    requireCheap(root, byId)
    return { ...sizeOf(root), images }
  } catch (error) {
    if (error instanceof NotShown) return error.message
    throw error
  }
}
