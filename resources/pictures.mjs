// Draws resources/pictures/*.svg, one a sample article, and the merchant's logo: flat, geometric, few colours, no words. Run from
// the checkout's root:
//   node resources/pictures.mjs
import { mkdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

export const colour = {
  cream: '#f7efdf',
  sand: '#ecd9b9',
  ink: '#22312d',
  teal: '#1f6f5c',
  sage: '#9dbb86',
  rust: '#c8553d',
  rose: '#e6b39a',
  gold: '#e8ae3f',
  sky: '#b7d8de',
  blue: '#2c5d7d',
  night: '#1d3346',
  white: '#fffdf8',
}
const c = colour

const box = (x, y, w, h, fill, r = 0) =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}"${r === 0 ? '' : ` rx="${r}"`} fill="${fill}"/>`
const disc = (x, y, r, fill) => `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>`
const shape = (d, fill) => `<path d="${d}" fill="${fill}"/>`
const line = (d, stroke, width, more = '') =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"${more}/>`
const many = (count, draw) => Array.from({ length: count }, (_, i) => draw(i)).join('')
const moved = (x, y, what, scale = 1) => `<g transform="translate(${x} ${y}) scale(${scale})">${what}</g>`
const turned = (degrees, x, y, what) => `<g transform="rotate(${degrees} ${x} ${y})">${what}</g>`
/** An upright window with a round head. */
const arch = (x, y, w, h, fill) => shape(`M${x} ${y + h}V${y + w / 2}a${w / 2} ${w / 2} 0 0 1 ${w} 0V${y + h}z`, fill)
const house = (x, base, w, h, wall, roof, window) =>
  box(x, base - h, w, h, wall) +
  shape(`M${x - 4} ${base - h}L${x + w / 2} ${base - h - w * 0.62}L${x + w + 4} ${base - h}z`, roof) +
  many(2, (i) => arch(x + w * (0.2 + i * 0.38), base - h * 0.72, w * 0.2, h * 0.32, window))
const tower = (x, base, w, h, wall, roof, window) =>
  box(x, base - h, w, h, wall) +
  shape(`M${x - 7} ${base - h}L${x + w / 2} ${base - h - w * 1.7}L${x + w + 7} ${base - h}z`, roof) +
  arch(x + w * 0.3, base - h + 16, w * 0.4, w * 0.75, window)
const waves = (y, stroke, rows = 3) =>
  many(rows, (row) => line(`M${-20 + (row % 2) * 30} ${y + row * 20}${many(8, () => 'q15 -12 30 0t30 0')}`, stroke, 4))
const boat = (hull, sail, flag) =>
  shape('M-58 0H58L40 30H-40z', hull) + shape('M-4 -10V-96L-50 -10z', sail) + shape('M6 -10V-78L44 -10z', flag)
const wren = (body, wing, belly) =>
  shape('M-62 8C-60 -40 -8 -62 30 -44L52 -40L34 -28C40 20 8 48 -30 40C-50 36 -60 24 -62 8z', body) +
  shape('M-10 40C14 38 34 14 34 -22C20 0 -4 4 -30 34z', belly) +
  shape('M-46 4C-30 -22 4 -24 14 -8C4 22 -26 30 -46 4z', wing) +
  shape('M-56 6L-84 -52L-66 -56L-38 -8z', wing) +
  disc(24, -32, 4.5, c.ink) +
  line('M-12 42V64M8 38V62M-20 66H-4M0 64H18', c.ink, 4)
const pin = (x, y, fill, hole) =>
  shape(
    `M${x} ${y}C${x - 12} ${y - 22} ${x - 26} ${y - 30} ${x - 26} ${y - 50}a26 26 0 0 1 52 0C${x + 26} ${y - 30} ${x + 12} ${y - 22} ${x} ${y}z`,
    fill,
  ) + disc(x, y - 50, 10, hole)
const waveRings = (x, y, stroke) =>
  disc(x, y, 15, stroke) +
  [46, 82, 118]
    .map((r) => line(`M${x - r * 0.77} ${y - r * 0.64}A${r} ${r} 0 0 1 ${x + r * 0.77} ${y - r * 0.64}`, stroke, 18))
    .join('')
/** A ticket with a torn edge. */
const ticket = (paper, stub, sign) =>
  shape('M-130 -62H130V-16a16 16 0 0 0 0 32V62H-130V16a16 16 0 0 0 0 -32z', paper) +
  line('M66 -50V50', stub, 4, ' stroke-dasharray="1 12"') +
  many(6, (i) => box(88, -36 + i * 13, 22, i % 3 === 1 ? 8 : 4, stub)) +
  moved(-32, 0, sign)
const book = (cover, spine, sign) =>
  box(-74, -100, 148, 200, cover, 8) +
  box(-74, -100, 24, 200, spine, 8) +
  box(-50, 88, 118, 6, c.cream) +
  moved(12, -6, sign)
const notes = (fill) =>
  disc(-28, 34, 17, fill) + disc(34, 22, 17, fill) + shape('M-18 34V-44L51 -58V22H42V-38L-10 -28V34z', fill)
const hills = (y, far, near) =>
  shape(`M0 ${y}C70 ${y - 60} 130 ${y - 50} 200 ${y - 8}S330 ${y - 60} 400 ${y - 20}V300H0z`, far) +
  shape(`M0 ${y + 44}C90 ${y} 180 ${y + 10} 250 ${y + 46}S350 ${y + 30} 400 ${y + 26}V300H0z`, near)
const plot = (x, y, w, h, fill) => box(x, y, w, h, fill, 3)
const framed = (x, y, w, h, inside) =>
  box(x + 6, y + 8, w, h, '#0002') +
  box(x, y, w, h, c.white) +
  `<svg x="${x + 10}" y="${y + 10}" width="${w - 20}" height="${h - 20}" viewBox="0 0 300 400" preserveAspectRatio="xMidYMid slice">${inside}</svg>`

/** The three posters that are sold, upright, 300 by 400. */
export const posters = {
  'poster-old-town':
    box(0, 0, 300, 400, c.gold) +
    disc(206, 112, 58, c.white) +
    tower(122, 300, 46, 170, c.rust, c.ink, c.gold) +
    house(20, 310, 70, 78, c.white, c.rust, c.blue) +
    house(88, 320, 60, 66, c.rose, c.teal, c.ink) +
    house(160, 316, 74, 92, c.white, c.teal, c.rust) +
    house(232, 306, 64, 70, c.rose, c.rust, c.ink) +
    shape('M0 300H300V400H0z', c.teal) +
    many(5, (i) => shape(`M${10 + i * 60} 352a22 22 0 0 1 44 0V400h-44z`, c.ink)) +
    box(0, 318, 300, 12, c.cream),
  'poster-harbour':
    box(0, 0, 300, 400, c.rust) +
    disc(150, 190, 84, c.gold) +
    shape('M0 210H300V400H0z', c.blue) +
    many(6, (i) => box(150 - 80 + i * 8, 222 + i * 22, 160 - i * 16, 7, c.gold, 3)) +
    moved(86, 268, boat(c.night, c.white, c.cream), 1.05) +
    moved(228, 238, boat(c.night, c.cream, c.white), 0.55) +
    shape('M0 400V352C80 336 200 372 300 348V400z', c.night),
  'poster-wren':
    box(0, 0, 300, 400, c.sky) +
    disc(150, 176, 116, c.cream) +
    disc(150, 176, 102, c.gold) +
    line('M30 262C110 240 190 266 276 236', c.ink, 9) +
    many(6, (i) =>
      shape(`M${54 + i * 40} ${256 - (i % 2) * 6}q8 -34 30 -38q4 30 -30 38z`, i % 2 === 0 ? c.teal : c.sage),
    ) +
    moved(150, 182, wren(c.rust, c.ink, c.cream), 1.25) +
    box(0, 352, 300, 48, c.teal),
}

/** By the id of the article, 400 by 300. */
const cards = {
  'walking-map':
    box(0, 0, 400, 300, c.sand) +
    many(4, (row) => many(5, (i) => plot(18 + i * 76, 16 + row * 72, 60, 54, (i + row) % 3 === 0 ? c.rose : c.cream))) +
    shape('M0 214C90 190 150 262 230 250S340 214 400 236V300H0z', c.sky) +
    line('M60 270L96 196L170 150L172 84L246 78L280 130L330 112', c.rust, 8, ' stroke-dasharray="1 16"') +
    pin(330, 112, c.rust, c.white) +
    disc(60, 270, 11, c.ink),
  'river-path':
    box(0, 0, 400, 300, c.sage) +
    shape('M150 -10C60 60 250 110 170 180S90 260 160 310H270C220 250 330 220 300 150S200 60 260 -10z', c.sky) +
    line('M290 -10C230 60 350 110 330 160S250 250 310 310', c.cream, 9, ' stroke-dasharray="20 16"') +
    many(9, (i) => disc(30 + ((i * 53) % 110), 24 + i * 32, 15 + (i % 3) * 5, i % 2 === 0 ? c.teal : c.ink)) +
    pin(332, 128, c.rust, c.white),
  'tram-map':
    box(0, 0, 400, 300, c.white) +
    line('M-10 80H120L190 150H410', c.rust, 16) +
    line('M60 310V220L150 130V-10', c.teal, 16) +
    line('M-10 230H220L310 140V-10', c.gold, 16) +
    [
      [60, 80],
      [150, 110],
      [226, 150],
      [340, 150],
      [60, 250],
      [150, 40],
      [150, 230],
      [310, 60],
    ]
      .map(([x, y]) => disc(x, y, 14, c.ink) + disc(x, y, 7, c.white))
      .join(''),
  'cellars-map':
    box(0, 0, 400, 300, c.night) +
    box(0, 0, 400, 84, c.rust) +
    many(6, (i) => house(14 + i * 64, 84, 48, 30, c.cream, c.ink, c.gold)) +
    many(4, (i) => arch(26 + i * 92, 124, 72, 76, i === 2 ? c.gold : c.blue)) +
    many(3, (i) => arch(72 + i * 92, 216, 72, 76, i === 0 ? c.gold : c.blue)) +
    line('M246 164H200V250H112', c.white, 6, ' stroke-dasharray="1 13"'),
  'old-town-guide':
    box(0, 0, 400, 300, c.teal) +
    moved(206, 156, turned(-7, 0, 0, book(c.gold, c.rust, tower(-18, 60, 36, 78, c.cream, c.ink, c.rust))), 1.12),
  'museum-guide':
    box(0, 0, 400, 300, c.rose) +
    shape('M60 112L200 36L340 112z', c.rust) +
    box(60, 112, 280, 18, c.ink) +
    many(5, (i) => box(80 + i * 55, 138, 26, 96, c.cream) + box(74 + i * 55, 130, 38, 10, c.cream)) +
    box(60, 234, 280, 16, c.ink) +
    box(40, 250, 320, 20, c.rust) +
    disc(200, 84, 15, c.gold),
  'tower-guide':
    box(0, 0, 400, 300, c.sky) +
    disc(306, 74, 36, c.gold) +
    hills(210, c.sage, c.teal) +
    box(166, 138, 68, 124, c.cream) +
    shape('M158 138L200 34L242 138z', c.rust) +
    disc(200, 166, 19, c.ink) +
    disc(200, 166, 14, c.white) +
    line('M200 166V156M200 166L208 170', c.ink, 3) +
    arch(188, 214, 24, 48, c.ink),
  'garden-guide':
    box(0, 0, 400, 300, c.cream) +
    many(5, (i) =>
      moved(
        52 + i * 74,
        178 - (i % 2) * 34,
        line(`M0 0V${122 + (i % 2) * 34}`, c.teal, 7) +
          shape('M0 70q34 -8 44 -44q-40 2 -44 44z', c.teal) +
          shape('M0 96q-34 -8 -44 -44q40 2 44 44z', c.sage) +
          many(6, (k) =>
            turned(k * 60, 0, 0, `<ellipse cx="0" cy="-24" rx="12" ry="19" fill="${i % 2 === 0 ? c.rust : c.gold}"/>`),
          ) +
          disc(0, 0, 12, c.ink),
      ),
    ) +
    box(0, 276, 400, 24, c.ink),
  'farthing-story':
    box(0, 0, 400, 300, c.gold) +
    disc(200, 150, 122, c.rust) +
    disc(200, 150, 108, c.cream) +
    moved(206, 150, wren(c.rust, c.ink, c.gold), 1.15),
  'bells-article':
    box(0, 0, 400, 300, c.blue) +
    box(60, 34, 280, 16, c.cream) +
    many(3, (i) =>
      moved(
        112 + i * 88,
        50,
        turned(
          [16, 0, -16][i],
          0,
          0,
          line('M0 0V26', c.cream, 8) +
            shape('M-16 30C-16 18 16 18 16 30C22 74 38 92 46 124H-46C-38 92 -22 74 -16 30z', c.gold) +
            disc(0, 134, 13, c.rust),
        ),
      ),
    ) +
    box(0, 244, 400, 56, c.night),
  'bridge-article':
    box(0, 0, 400, 300, c.rose) +
    disc(92, 78, 34, c.white) +
    shape('M0 150C120 120 280 120 400 150V226H0z', c.rust) +
    many(4, (i) => shape(`M${16 + i * 96} 226a40 ${44 + (i % 2) * 6} 0 0 1 80 0z`, c.rose)) +
    shape('M0 226H400V300H0z', c.blue) +
    waves(250, c.sky, 3),
  'market-article':
    box(0, 0, 400, 300, c.sage) +
    many(8, (i) =>
      shape(`M${20 + i * 45} 66H${65 + i * 45}V128a22.5 22.5 0 0 1 -45 0z`, i % 2 === 0 ? c.rust : c.cream),
    ) +
    box(20, 52, 360, 16, c.ink) +
    box(34, 120, 10, 160, c.ink) +
    box(356, 120, 10, 160, c.ink) +
    many(6, (i) => disc(84 + i * 46, 200, 24, i % 2 === 0 ? c.gold : c.rust)) +
    many(5, (i) => disc(106 + i * 46, 180, 22, i % 2 === 0 ? c.rust : c.gold)) +
    box(44, 206, 312, 74, c.ink) +
    box(44, 228, 312, 8, c.cream),
  'harbour-bells':
    box(0, 0, 400, 300, c.night) +
    disc(316, 70, 30, c.gold) +
    moved(142, 132, notes(c.cream), 1.35) +
    shape('M0 214H400V300H0z', c.blue) +
    waves(238, c.sky, 3) +
    moved(300, 202, boat(c.rust, c.cream, c.gold), 0.7),
  'evening-walk':
    box(0, 0, 400, 300, c.rust) +
    disc(200, 210, 96, c.gold) +
    line('M96 190V150a104 104 0 0 1 208 0V190', c.ink, 16) +
    box(78, 168, 40, 78, c.ink, 18) +
    box(282, 168, 40, 78, c.ink, 18) +
    many(7, (i) =>
      box(143 + i * 17, 210 - [16, 34, 24, 50, 28, 38, 14][i], 8, 2 * [16, 34, 24, 50, 28, 38, 14][i], c.cream, 4),
    ),
  'poster-old-town':
    box(0, 0, 400, 300, c.rose) + framed(112, 26, 176, 232, posters['poster-old-town']) + box(0, 282, 400, 18, c.ink),
  'poster-harbour':
    box(0, 0, 400, 300, c.sand) + framed(112, 26, 176, 232, posters['poster-harbour']) + box(0, 282, 400, 18, c.ink),
  'poster-wren':
    box(0, 0, 400, 300, c.sage) + framed(112, 26, 176, 232, posters['poster-wren']) + box(0, 282, 400, 18, c.ink),
  'wifi-day': box(0, 0, 400, 300, c.sky) + disc(200, 150, 128, c.white) + waveRings(200, 208, c.blue),
  'wifi-week':
    box(0, 0, 400, 300, c.teal) +
    moved(0, -24, waveRings(200, 196, c.cream)) +
    many(7, (i) => box(58 + i * 42, 226, 32, 36, i < 5 ? c.gold : c.rust, 6)),
  'tower-ticket':
    box(0, 0, 400, 300, c.rust) +
    moved(200, 150, turned(-8, 0, 0, ticket(c.cream, c.rust, tower(-17, 44, 34, 52, c.teal, c.ink, c.gold))), 1.15),
  'museum-ticket':
    box(0, 0, 400, 300, c.gold) +
    moved(
      200,
      150,
      turned(
        7,
        0,
        0,
        ticket(
          c.white,
          c.blue,
          shape('M-60 -12L0 -44L60 -12z', c.blue) +
            many(4, (i) => box(-52 + i * 30, -6, 14, 38, c.blue)) +
            box(-60, 34, 120, 10, c.blue),
        ),
      ),
      1.15,
    ),
  'boat-trip':
    box(0, 0, 400, 300, c.sky) +
    disc(320, 70, 34, c.gold) +
    moved(196, 188, boat(c.rust, c.white, c.gold), 1.5) +
    shape('M0 226H400V300H0z', c.blue) +
    waves(246, c.sky, 3),
  'night-walk':
    box(0, 0, 400, 300, c.night) +
    shape('M318 40a44 44 0 1 0 40 64a36 36 0 1 1 -40 -64z', c.gold) +
    many(9, (i) => disc(24 + ((i * 71) % 260), 26 + ((i * 37) % 96), 2.5, c.cream)) +
    many(5, (i) => house(6 + i * 82, 276, 58, 52 + (i % 3) * 22, c.blue, c.ink, i % 2 === 0 ? c.gold : c.night)) +
    box(0, 270, 400, 30, c.ink) +
    line('M240 278V188', c.cream, 5) +
    box(229, 156, 22, 32, c.gold, 6),
  'wine-tasting':
    box(0, 0, 400, 300, c.cream) +
    moved(
      142,
      150,
      turned(
        -10,
        0,
        0,
        shape('M-52 -96H52C56 -30 34 8 6 14V84H40V96H-40V84H-6V14C-34 8 -56 -30 -52 -96z', c.sky) +
          shape('M-50 -46H50C46 -14 28 6 0 6S-46 -14 -50 -46z', c.rust),
      ),
    ) +
    moved(
      262,
      150,
      turned(
        10,
        0,
        0,
        shape('M-52 -96H52C56 -30 34 8 6 14V84H40V96H-40V84H-6V14C-34 8 -56 -30 -52 -96z', c.sky) +
          shape('M-50 -40H50C44 -12 28 6 0 6S-44 -12 -50 -40z', c.gold),
      ),
    ) +
    box(0, 262, 400, 38, c.ink),
}

/** A wren before an arch: the merchant of the demonstration. */
const logo =
  box(0, 0, 160, 160, c.teal, 36) + arch(30, 24, 100, 112, c.gold) + moved(86, 92, wren(c.cream, c.ink, c.rust), 0.62)

const svg = (width, height, inside) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">${inside.replaceAll(/(\d\.\d\d)\d+/g, '$1')}</svg>\n`
export const poster = (name) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="1500" height="2000" viewBox="0 0 300 400">${posters[name]}</svg>\n`

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  mkdirSync('resources/pictures', { recursive: true })
  for (const [id, inside] of Object.entries(cards)) writeFileSync(`resources/pictures/${id}.svg`, svg(400, 300, inside))
  writeFileSync('resources/pictures/logo.svg', svg(160, 160, logo))
}
